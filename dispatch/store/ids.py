"""Ids: UUIDv7 (RFC 9562), and short ticket numbers that tell nothing."""

import secrets
import time
from uuid import UUID

#: Without 0 O 1 I L: read aloud over a bad line.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_id() -> UUID:
    """A UUIDv7: milliseconds of real time, then 74 random bits."""
    ms = time.time_ns() // 1_000_000
    value = (ms & (1 << 48) - 1) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return UUID(int=value)


def new_ticket_no() -> str:
    """Seven characters of 31: 27 thousand million numbers; the unique key catches the rest."""
    return "".join(secrets.choice(ALPHABET) for _ in range(7))
