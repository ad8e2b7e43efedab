"""Requests to addresses that somebody else chose: webhooks, push subscriptions, sign-in providers.

The name is resolved once, every address it has must be public, and the connection goes to the address that was
checked, with the name in Host and in TLS: a second answer of the name server (rebinding) is never asked for.
Redirects are not followed, answers are read up to a limit, every wait has an end.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urlsplit

import httpx

from dispatch.domain.tracing import answered, span, tracing_headers

ANSWER_BYTES_MAX = 4_096
URL_LENGTH_MAX = 2_000
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


class RefusedTarget(Exception):
    """The address is not one to send to; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, as the system's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class OutsideClient:
    """`allowed_hosts` are names that may be anything, for tests and the demo; otherwise https and public only."""

    def __init__(self, allowed_hosts: Collection[str] = (), resolver: Resolve = resolve) -> None:
        self._allowed = frozenset(allowed_hosts)
        self._resolve = resolver

    def check(self, url: str) -> None:
        """Raises RefusedTarget where `url` may never be sent to, without asking a name server."""
        self._parts(url)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        timeout_s: float,
        most_bytes: int = ANSWER_BYTES_MAX,
    ) -> Answered:
        """One POST. Raises RefusedTarget, or httpx.TransportError when the address cannot be reached in time."""
        return self._ask("POST", url, body, headers, timeout_s, most_bytes)

    def get(self, url: str, headers: Mapping[str, str], timeout_s: float, most_bytes: int) -> Answered:
        """One GET; what is longer than `most_bytes` is cut. Raises as `post`."""
        return self._ask("GET", url, None, headers, timeout_s, most_bytes)

    def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout_s: float,
        most_bytes: int,
    ) -> Answered:
        parts = self._parts(url)
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        address = self._address(host, port)
        try:
            with span(f"{method} {host}", "client") as told:
                answer = _exchange(method, parts, host, port, address, body, headers, timeout_s, most_bytes)
                answered(told, answer.status)
            return answer
        except (OSError, HTTPException) as error:
            raise httpx.ConnectError(type(error).__name__) from error

    def _parts(self, url: str) -> SplitResult:
        if len(url) > URL_LENGTH_MAX or any(ord(c) <= 32 or ord(c) == 127 for c in url):
            raise RefusedTarget("url_malformed")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise RefusedTarget("url_malformed") from error
        host = parts.hostname
        if not host or parts.username or parts.password or port == 0:
            raise RefusedTarget("url_malformed")
        if host in self._allowed and parts.scheme in ("http", "https"):
            return parts
        if parts.scheme != "https":
            raise RefusedTarget("url_not_https")
        literal = as_address(host)
        if literal is not None and not is_public(literal):
            raise RefusedTarget("url_not_public")
        return parts

    def _address(self, host: str, port: int) -> str:
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError("name") from error
        addresses = [as_address(text) for text in found]
        if host not in self._allowed and not all(a is not None and is_public(a) for a in addresses):
            raise RefusedTarget("url_not_public")
        if not found:
            raise httpx.ConnectError("name")
        return found[0]


def as_address(text: str) -> Address | None:
    """An IP address in any spelling a connection would take, or None for a name."""
    bare = text.strip("[]").split("%", 1)[0]
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    try:
        # 127.1, 0x7f000001, 2130706433: not addresses to Python, but to connect() they are.
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Whether it is an address of the open internet, the one inside a mapped or translated IPv6 included."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or int(address) >> 32 == 0:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address behind 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64)."""
    for net in ("64:ff9b::/96", "64:ff9b:1::/48"):
        if address in ipaddress.IPv6Network(net):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _exchange(
    method: str,
    parts: SplitResult,
    host: str,
    port: int,
    address: str,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout_s: float,
    most_bytes: int,
) -> Answered:
    deadline = time.monotonic() + timeout_s
    connected = socket.create_connection((address, port), timeout_s)
    try:
        if parts.scheme == "https":
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=host)
        connection = HTTPConnection(host, port, timeout=timeout_s)
        connection.sock = connected
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, path, body, {**tracing_headers(), **headers, "Connection": "close"})
        answer = connection.getresponse()
        return Answered(
            answer.status, dict(answer.getheaders()), _read(answer, connected, deadline, most_bytes)
        )
    finally:
        connected.close()


def _read(answer: HTTPResponse, connected: socket.socket, deadline: float, most_bytes: int) -> bytes:
    """The beginning of the body; a server that drips it byte by byte is left at the deadline."""
    kept = b""
    while len(kept) < most_bytes and (left := deadline - time.monotonic()) > 0:
        connected.settimeout(left)
        try:
            piece = answer.read1(most_bytes - len(kept))
        except (OSError, ValueError):
            break
        if not piece:
            break
        kept += piece
    return kept
