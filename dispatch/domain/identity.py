"""Who may sign in, how often and for how long: numbers and pure rules."""

import hmac
import struct
from datetime import datetime, timedelta
from enum import Enum

#: An access token of a phone is good this long; a refresh token gets the next one.
ACCESS = timedelta(minutes=10)
#: A phone that is not used this long must sign in again; one that is, after the second span at the latest.
PHONE_IDLE = timedelta(days=30)
PHONE_MOST = timedelta(days=180)
BOARD = timedelta(hours=12)
#: The token before the newest still answers this long: its reply may have been lost on the way.
GRACE = timedelta(seconds=60)
#: What is asked for before exports and bulk changes is a proof no older than this.
PROOF = timedelta(minutes=15)

#: The way to a sign-in provider and back takes no longer.
JOURNEY = timedelta(minutes=10)

CODE_DIGITS = 6
CODE_LIVES = timedelta(minutes=10)
CODE_TRIES = 5
CODE_EVERY = timedelta(seconds=60)
CODES_AN_HOUR = 5

FREE_FAILURES = 5
LONGEST_WAIT = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(minutes=15)

TOTP_STEP_S = 30
TOTP_DIGITS = 6
TOTP_BYTES = 20
RECOVERY_CODES = 10


class Refresh(Enum):
    """What a refresh token is good for."""

    ROTATE = "rotate"
    REPEAT = "repeat"
    THEFT = "theft"


def judge_refresh(given_no: int, newest_no: int, refreshed_at: datetime | None, now: datetime) -> Refresh:
    """The newest token rotates; the one before it repeats the answer within GRACE; any other was copied."""
    if given_no == newest_no:
        return Refresh.ROTATE
    within = refreshed_at is not None and now - refreshed_at <= GRACE
    if given_no == newest_no - 1 and within:
        return Refresh.REPEAT
    return Refresh.THEFT


def wait_after(failures: int, last_at: datetime, now: datetime) -> timedelta:
    """How long the next attempt must wait: nothing for the first few, then 1 s, 2 s, 4 s … LONGEST_WAIT.

    Nobody is locked out for longer than that by somebody else's guesses.
    """
    if failures < FREE_FAILURES or now - last_at >= FORGOTTEN_AFTER:
        return timedelta()
    wait = min(timedelta(seconds=2 ** min(failures - FREE_FAILURES, 10)), LONGEST_WAIT)
    return max(timedelta(), last_at + wait - now)


def code_wait(sent_at: list[datetime], now: datetime) -> timedelta:
    """How long until another code may be sent, by when the last ones of this phone or engineer were."""
    recent = sorted(at for at in sent_at if now - at < timedelta(hours=1))
    waits = [timedelta()]
    if recent:
        waits.append(recent[-1] + CODE_EVERY - now)
    if len(recent) >= CODES_AN_HOUR:
        waits.append(recent[-CODES_AN_HOUR] + timedelta(hours=1) - now)
    return max(waits)


def totp_code(secret: bytes, step: int) -> str:
    """The code of one 30 s step: RFC 6238 with SHA-1, six digits, as every authenticator app shows it."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**TOTP_DIGITS:0{TOTP_DIGITS}d}"


def totp_matches(secret: bytes, code: str, now: datetime, used_step: int | None) -> int | None:
    """The step whose code this is, one before and after now included, or None; a step is good once."""
    current = int(now.timestamp()) // TOTP_STEP_S
    found = None
    for step in (current - 1, current, current + 1):
        fits = hmac.compare_digest(totp_code(secret, step).encode(), code.encode())
        if fits and (used_step is None or step > used_step):
            found = step
    return found
