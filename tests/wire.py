"""A bare HTTP/1.1 client on asyncio: one kept connection, no parsing beyond need, so that a load test
measures the server and not its client."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class WireReply:
    status: int
    body: bytes
    content_type: str
    #: What a refusal says about coming back, seconds; None where it says nothing.
    retry_after_s: float | None = None

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Wire:
    """One connection; `request` connects when needed and raises OSError or EOFError when it breaks."""

    host: str
    port: int
    token: str = ""
    timeout_s: float = 30.0
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None)

    async def request(self, method: str, path: str, body: Any = None, raw: bytes | None = None) -> WireReply:
        """`body` goes as JSON, `raw` as it is. Raises OSError, asyncio.IncompleteReadError or TimeoutError; the
        connection is then closed."""
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        try:
            return await asyncio.wait_for(self._request(method, path, content), self.timeout_s)
        except BaseException:
            self.close()
            raise

    async def _request(self, method: str, path: str, content: bytes) -> WireReply:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: {self.host}\r\nauthorization: Bearer {self.token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        return await _read_reply(reader)

    @property
    def connected(self) -> bool:
        return self._streams is not None

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _read_reply(reader: asyncio.StreamReader) -> WireReply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    length = int(headers.get("content-length", "0"))
    body = await reader.readexactly(length) if length else b""
    status, after = int(first.split(" ", 2)[1]), headers.get("retry-after")
    return WireReply(status, body, headers.get("content-type", ""), float(after) if after else None)
