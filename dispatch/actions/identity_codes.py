"""One-time codes to an engineer's phone: made, limited, checked once."""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dispatch.domain.identity import CODE_DIGITS, CODE_LIVES, CODE_TRIES, code_wait
from dispatch.store.ids import new_id
from dispatch.store.personal import PersonalData
from dispatch.store.tables.identity import SigninCode
from dispatch.store.tables.people import Engineer

TEXTS = {
    "zh": "【派单】登录验证码 {code}，10 分钟内有效，请勿告诉他人。",
    "en": "Your Paidan sign-in code is {code}. It is valid for 10 minutes; tell nobody.",
}


def make_code(
    db: Session, personal: PersonalData, engineer: Engineer, key: bytes, now: datetime
) -> tuple[UUID, str, str] | None:
    """(id, phone, code) to send, or None: no phone is known, or the engineer's or the phone's limit is reached.

    Codes still out are void from now on.
    """
    phone = personal.decrypt(engineer.phone_enc, engineer.tenant_id, engineer.id, "phone")
    if not phone or engineer.phone_blind is None:
        return None
    rows = list(
        db.scalars(
            select(SigninCode)
            .where(
                SigninCode.tenant_id == engineer.tenant_id,
                or_(SigninCode.engineer_id == engineer.id, SigninCode.phone_blind == engineer.phone_blind),
                SigninCode.created_at > now - timedelta(hours=1),
            )
            .with_for_update()
        )
    )
    if code_wait([row.created_at for row in rows], now) > timedelta():
        return None
    for row in rows:
        if row.engineer_id == engineer.id and row.used_at is None:
            row.used_at = now
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    code_id = new_id()
    db.add(
        SigninCode(
            tenant_id=engineer.tenant_id,
            id=code_id,
            engineer_id=engineer.id,
            phone_blind=engineer.phone_blind,
            code_hash=_hash(key, code_id, code),
            created_at=now,
            expires_at=now + CODE_LIVES,
        )
    )
    db.flush()
    return code_id, phone, code


def use_code(db: Session, engineer: Engineer, code: str, keys: Sequence[bytes], now: datetime) -> bool:
    """True once for the newest live code; each wrong one uses up a try. Commit it either way."""
    row = db.scalars(
        select(SigninCode)
        .where(
            SigninCode.tenant_id == engineer.tenant_id,
            SigninCode.engineer_id == engineer.id,
            SigninCode.used_at.is_(None),
            SigninCode.expires_at > now,
            SigninCode.tries < CODE_TRIES,
        )
        .order_by(SigninCode.created_at.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()
    if row is None:
        return False
    row.tries += 1
    right = any(hmac.compare_digest(row.code_hash, _hash(key, row.id, code)) for key in keys)
    if right:
        row.used_at = now
    db.flush()
    return right


def _hash(key: bytes, code_id: UUID, code: str) -> bytes:
    return hmac.digest(key, b"code" + code_id.bytes + code.encode(), "sha256")
