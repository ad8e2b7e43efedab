"""How parent and photo child talk: two lengths, a JSON head, a body of bytes."""

import json
import struct
from dataclasses import dataclass
from typing import IO, Any

_LENGTHS = struct.Struct(">IQ")
HEAD_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Frame:
    head: dict[str, Any]
    body: bytes


def write_frame(target: IO[bytes], head: dict[str, Any], body: bytes = b"") -> None:
    """Sends one frame. Raises OSError when the other side is gone."""
    begin_frame(target, head, len(body))
    target.write(body)
    target.flush()


def begin_frame(target: IO[bytes], head: dict[str, Any], body_bytes: int) -> None:
    """Sends everything before the body, which the caller writes in pieces and flushes."""
    packed = json.dumps(head).encode()
    target.write(_LENGTHS.pack(len(packed), body_bytes) + packed)


def read_frame(source: IO[bytes], body_bytes_max: int | None = None) -> Frame | None:
    """The next frame, or None when the other side ended, even in the middle of one.

    Raises ValueError for a frame that breaks the caps or carries no JSON object.
    """
    lengths = source.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    head_bytes, body_bytes = _LENGTHS.unpack(lengths)
    if head_bytes > HEAD_BYTES_MAX or (body_bytes_max is not None and body_bytes > body_bytes_max):
        raise ValueError("a frame larger than agreed")
    packed, body = source.read(head_bytes), source.read(body_bytes)
    if len(packed) < head_bytes or len(body) < body_bytes:
        return None
    head = json.loads(packed)
    if not isinstance(head, dict):
        raise ValueError("a frame without an object")
    return Frame(head, body)
