"""A dispatcher's second factor: enrolled, checked, and the recovery codes for the day the phone is gone."""

import base64
import secrets
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from dispatch.domain.errors import Conflict, NotReady
from dispatch.domain.identity import RECOVERY_CODES, TOTP_BYTES, totp_matches
from dispatch.store.personal import PersonalData
from dispatch.store.tables.tenants import Dispatcher


def start_totp(db: Session, personal: PersonalData, dispatcher: Dispatcher) -> str:
    """A fresh secret, base32 as authenticator apps take it; it counts from `confirm_totp` on.

    Raises Conflict `totp_on` where a second factor is in use: it must be removed first.
    """
    if dispatcher.totp_at is not None:
        raise Conflict("totp_on")
    secret = base64.b32encode(secrets.token_bytes(TOTP_BYTES)).decode()
    dispatcher.totp_enc = personal.encrypt(secret, dispatcher.tenant_id, dispatcher.id, "totp")
    dispatcher.totp_step = None
    db.flush()
    return secret


def confirm_totp(
    db: Session, personal: PersonalData, dispatcher: Dispatcher, code: str, now: datetime
) -> list[str]:
    """Turns the second factor on and gives the recovery codes, shown once: only their hashes are kept.

    Raises Conflict `totp_on`, NotReady `totp_not_started` and `totp_code_wrong`.
    """
    if dispatcher.totp_at is not None:
        raise Conflict("totp_on")
    if dispatcher.totp_enc is None:
        raise NotReady("totp_not_started")
    if not _code_is_good(personal, dispatcher, code, now):
        raise NotReady("totp_code_wrong")
    dispatcher.totp_at = now
    codes = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(RECOVERY_CODES)]
    dispatcher.recovery_hashes = [_recovery_hash(each) for each in codes]
    db.flush()
    return codes


def use_second_factor(
    db: Session, personal: PersonalData, dispatcher: Dispatcher, code: str, now: datetime
) -> bool:
    """A code of the app, each good once, or a recovery code, used up by this."""
    if _code_is_good(personal, dispatcher, code, now):
        db.flush()
        return True
    wanted = _recovery_hash(code.strip().lower())
    if wanted not in dispatcher.recovery_hashes:
        return False
    dispatcher.recovery_hashes = [each for each in dispatcher.recovery_hashes if each != wanted]
    db.flush()
    return True


def remove_totp(db: Session, dispatcher: Dispatcher) -> None:
    dispatcher.totp_enc = dispatcher.totp_at = dispatcher.totp_step = None
    dispatcher.recovery_hashes = []
    db.flush()


def _code_is_good(personal: PersonalData, dispatcher: Dispatcher, code: str, now: datetime) -> bool:
    text = personal.decrypt(dispatcher.totp_enc, dispatcher.tenant_id, dispatcher.id, "totp")
    if text is None:
        return False
    step = totp_matches(base64.b32decode(text), code.strip(), now, dispatcher.totp_step)
    if step is None:
        return False
    dispatcher.totp_step = step
    return True


def _recovery_hash(code: str) -> str:
    return sha256(code.encode()).hexdigest()
