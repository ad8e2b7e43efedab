"""Providers on this machine, for tests: 企业微信, 钉钉, 飞书, a push service of browsers, gateways for text
messages and calls, and a mail server. Each refuses malformed requests by name and answers errcodes on demand."""

import base64
import hashlib
import hmac
import json
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Reply = tuple[int, Any, dict[str, str]]


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass
class Service:
    """`script` holds codes to answer with before all is well; `refusals` the names of what was malformed."""

    judge: Callable[["Service", Asked], Reply]
    url: str = ""
    script: list[Any] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    tokens: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    def refuse(self, name: str, status: int, body: Any) -> Reply:
        self.refusals.append(name)
        return status, body, {}


@contextmanager
def running(judge: Callable[[Service, Asked], Reply], **extra: Any) -> Iterator[Service]:
    service = Service(judge, extra=extra)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(parts.path, query, headers, self.rfile.read(length))
            status, body, more = service.judge(service, asked)
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield service
        finally:
            server.shutdown()


# 企业微信


def wecom(service: Service, asked: Asked) -> Reply:
    if asked.path == "/cgi-bin/gettoken":
        if (asked.query.get("corpid"), asked.query.get("corpsecret")) != ("corp", "secret"):
            return service.refuse("wrong_secret", 200, {"errcode": 40001, "errmsg": "invalid credential"})
        service.tokens += 1
        token = f"token-{service.tokens}"
        return 200, {"errcode": 0, "access_token": token, "expires_in": 7200}, {}
    said = asked.json()
    token = asked.query.get("access_token", "")
    for name, wrong, code in (
        ("no_token", not token, 41001),
        ("stale_token", token != f"token-{service.tokens}", 40014),
        ("no_person", not said.get("touser"), 40003),
        ("wrong_agent", said.get("agentid") != 7, 40056),
        ("unknown_kind", said.get("msgtype") not in ("text", "template_card"), 40008),
        ("card_without_task", _card_wrong(said), 42014),
    ):
        if wrong:
            return service.refuse(name, 200, {"errcode": code, "errmsg": name})
    if service.script:
        code = service.script.pop(0)
        return 200, code if isinstance(code, dict) else {"errcode": code, "errmsg": "scripted"}, {}
    service.accepted.append(said)
    return 200, {"errcode": 0, "errmsg": "ok", "invaliduser": ""}, {}


def _card_wrong(said: dict[str, Any]) -> bool:
    if said.get("msgtype") != "template_card":
        return False
    card = said.get("template_card", {})
    return not card.get("task_id") or not all(b.get("key") and b.get("text") for b in card["button_list"])


# 钉钉, 飞书


def dingtalk(service: Service, asked: Asked) -> Reply:
    said, stamp = asked.json(), asked.query.get("timestamp", "")
    wanted = hmac.digest(b"SEC1", f"{stamp}\nSEC1".encode(), "sha256")
    for name, wrong, code in (
        ("unknown_token", asked.query.get("access_token") != "bot", 300001),
        ("no_timestamp", not stamp.isdecimal(), 310000),
        ("stale_timestamp", stamp.isdecimal() and abs(int(stamp) / 1000 - time.time()) > 3600, 310000),
        ("wrong_sign", asked.query.get("sign") != base64.b64encode(wanted).decode(), 310000),
        ("no_text", not said.get("markdown", {}).get("text"), 400402),
    ):
        if wrong:
            return service.refuse(name, 200, {"errcode": code, "errmsg": name})
    return _scripted(service, said, "errcode")


def feishu(service: Service, asked: Asked) -> Reply:
    said = asked.json()
    stamp = str(said.get("timestamp", ""))
    wanted = hmac.new(f"{stamp}\nSEC2".encode(), b"", hashlib.sha256).digest()
    for name, wrong, code in (
        ("unknown_hook", not asked.path.endswith("/hook/bot"), 19001),
        ("no_timestamp", not stamp.isdecimal(), 19021),
        ("stale_timestamp", stamp.isdecimal() and abs(int(stamp) - time.time()) > 3600, 19021),
        ("wrong_sign", said.get("sign") != base64.b64encode(wanted).decode(), 19021),
        ("no_text", not said.get("content", {}).get("text"), 9499),
    ):
        if wrong:
            return service.refuse(name, 200, {"code": code, "msg": name})
    return _scripted(service, said, "code")


def _scripted(service: Service, said: dict[str, Any], field_name: str) -> Reply:
    code = service.script.pop(0) if service.script else 0
    if code == 0:
        service.accepted.append(said)
    return 200, {field_name: code}, {}


# gateways


def gateway(service: Service, asked: Asked) -> Reply:
    said = asked.json()
    for name, wrong, status in (
        ("no_token", asked.headers.get("authorization") != "Bearer token", 401),
        ("not_json", not said, 400),
        ("no_number", not str(said.get("to", "")).lstrip("+").isdecimal(), 400),
        ("no_text", not said.get("text"), 400),
        ("no_key", not said.get("key"), 400),
    ):
        if wrong:
            return service.refuse(name, status, {"error": name})
    if service.script:
        status, headers = service.script.pop(0)
        return status, {}, headers
    service.accepted.append(said)
    return 202, {}, {}


# browsers' push service


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def webpush(service: Service, asked: Asked) -> Reply:
    """`extra`: the browser's `key` and `secret`. Accepted messages are kept as the browser reads them."""
    ttl = asked.headers.get("ttl", "")
    for name, wrong, status in (
        ("no_ttl", not ttl.isdecimal() or int(ttl) == 0, 400),
        ("not_sealed", asked.headers.get("content-encoding") != "aes128gcm", 415),
        ("too_large", len(asked.body) > 4096, 413),
        ("not_ours", not _vapid_holds(service, asked.headers.get("authorization", "")), 403),
        ("cannot_be_read", _unsealed(service, asked.body) is None, 400),
    ):
        if wrong:
            return service.refuse(name, status, {"error": name})
    if service.script:
        status, headers = service.script.pop(0)
        return status, {}, headers
    service.accepted.append(_unsealed(service, asked.body) or {})
    return 201, {}, {}


def _vapid_holds(service: Service, header: str) -> bool:
    try:
        parts = dict(part.strip().split("=", 1) for part in header.removeprefix("vapid ").split(","))
        head, claims, signature = parts["t"].split(".")
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b64(parts["k"]))
        raw = b64(signature)
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        said = json.loads(b64(claims))
        until = said["exp"] - time.time()
        return bool(
            json.loads(b64(head))["alg"] == "ES256"
            and 0 < until <= 24 * 3600
            and said["sub"].startswith(("mailto:", "https:"))
            and said["aud"] == service.url
        )
    except (ValueError, KeyError, InvalidSignature):
        return False


def _unsealed(service: Service, body: bytes) -> dict[str, Any] | None:
    if not service.extra:
        return None
    key, secret = service.extra["key"], service.extra["secret"]
    try:
        salt, (_, length) = body[:16], struct.unpack("!IB", body[16:21])
        sender = body[21 : 21 + length]
        shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        ours = service.extra["point"]

        def derive(salt: bytes, material: bytes, info: bytes, size: int) -> bytes:
            return HKDF(hashes.SHA256(), size, salt, info).derive(material)

        material = derive(secret, shared, b"WebPush: info\0" + ours + sender, 32)
        sealing = derive(salt, material, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derive(salt, material, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(sealing).decrypt(nonce, body[21 + length :], None)
        found = json.loads(plain.rstrip(b"\0")[:-1])
        return found if isinstance(found, dict) else None
    except Exception:
        return None


# mail


@dataclass
class MailServer:
    url: str
    accepted: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    script: list[str] = field(default_factory=list)


@contextmanager
def running_mail() -> Iterator[MailServer]:
    """Speaks enough SMTP, and refuses letters that lack what a letter needs."""
    kept = MailServer("")

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            to = ""
            self.say("220 mail.test")
            while line := self.rfile.readline():
                word = line.decode("ascii", "replace").strip()
                verb = word[:4].upper()
                if verb in ("EHLO", "HELO", "MAIL", "RSET", "NOOP"):
                    self.say("250 ok")
                elif verb == "RCPT":
                    to = word[8:].strip("<> ")
                    self.say(kept.script.pop(0) if kept.script else "250 ok")
                elif verb == "DATA":
                    self.say("354 go on")
                    self.say(self.judge(to, self.letter()))
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("502 what")

        def letter(self) -> str:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.decode("utf-8", "replace"))
            return "".join(lines)

        def judge(self, to: str, letter: str) -> str:
            head = letter.split("\r\n\r\n", 1)[0].lower()
            for name in ("from", "to", "subject", "date", "message-id"):
                if f"{name}: " not in head:
                    kept.refusals.append(f"no_{name}")
                    return f"554 no {name}"
            kept.accepted.append((to, letter))
            return "250 kept"

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kept.url = f"smtp://127.0.0.1:{server.server_address[1]}"
        try:
            yield kept
        finally:
            server.shutdown()
