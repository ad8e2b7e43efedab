"""Signed-in devices: opened, refreshed, listed and ended; and how often a name may be tried."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch.domain.commands import Role
from dispatch.domain.errors import NotFound
from dispatch.domain.identity import (
    BOARD,
    FORGOTTEN_AFTER,
    PHONE_IDLE,
    PHONE_MOST,
    PROOF,
    Refresh,
    judge_refresh,
    wait_after,
)
from dispatch.store.ids import new_id
from dispatch.store.tables.identity import DispatcherTerritory, SigninAttempt
from dispatch.store.tables.people import Engineer, PushTarget
from dispatch.store.tables.tenants import DirectoryEntry, Dispatcher, Signin
from dispatch.store.transactions import Database

Person = Engineer | Dispatcher
#: Old attempts are swept a few at a time, by whoever fails next.
SWEPT_AT_ONCE = 100


def find_person(database: Database, kind: str, signin_id: str) -> Person | None:
    """The active engineer or dispatcher of that sign-in name, whichever company is theirs."""
    with database.transaction(None) as db:
        entry = db.get(DirectoryEntry, f"{kind}:{signin_id.lower()}")
    if entry is None:
        return None
    with database.transaction(entry.tenant_id) as db:
        person = read_person(db, entry.tenant_id, kind, entry.subject_id)
    return person if person is not None and person.active else None


def read_person(db: Session, tenant_id: UUID, kind: str, person_id: UUID) -> Person | None:
    key = {"tenant_id": tenant_id, "id": person_id}
    return db.get(Engineer, key) if kind == "engineer" else db.get(Dispatcher, key)


def role_of(person: Person) -> Role:
    return Role.ENGINEER if isinstance(person, Engineer) else Role(person.role)


def hash_device(device_id: str | None) -> bytes | None:
    """The device's own secret as it is kept."""
    return sha256(device_id.encode()).digest() if device_id else None


def open_signin(db: Session, person: Person, device: str, device_hash: bytes | None, now: datetime) -> Signin:
    """A sign-in for someone who has proven who they are just now."""
    role = role_of(person)
    row = Signin(
        tenant_id=person.tenant_id,
        id=new_id(),
        role=str(role),
        principal_id=person.id,
        device=device[:200],
        created_at=now,
        expires_at=now + (PHONE_IDLE if role is Role.ENGINEER else BOARD),
        proven_at=now,
        seen_at=now,
        device_hash=device_hash,
        refreshed_at=None,
        refresh_no=0,
    )
    db.add(row)
    db.flush()
    return row


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The row and its person; `theft` when the family was ended because an old token came again."""

    row: Signin | None
    person: Person | None
    theft: bool = False


def refresh_signin(
    db: Session, tenant_id: UUID, signin_id: UUID, given_no: int, device_hash: bytes | None, now: datetime
) -> Refreshed:
    """The next step of a phone's family of tokens, under the row's lock.

    An old token, or one from another device, ends the whole family: somebody has a copy.
    """
    row = db.get(Signin, {"tenant_id": tenant_id, "id": signin_id}, with_for_update=True)
    if row is None or row.revoked_at is not None or row.expires_at <= now or row.device_hash is None:
        return Refreshed(None, None)
    person = read_person(db, tenant_id, "engineer", row.principal_id)
    if person is None or not person.active:
        return Refreshed(None, None)
    verdict = judge_refresh(given_no, row.refresh_no, row.refreshed_at, now)
    if verdict is Refresh.THEFT or device_hash != row.device_hash:
        row.revoked_at = now
        db.flush()
        return Refreshed(None, None, theft=True)
    if verdict is Refresh.ROTATE:
        row.refresh_no += 1
        row.refreshed_at = now
        row.expires_at = min(now + PHONE_IDLE, row.created_at + PHONE_MOST)
    row.seen_at = now
    db.flush()
    return Refreshed(row, person)


def list_devices(db: Session, tenant_id: UUID, person_id: UUID, now: datetime) -> list[dict[str, Any]]:
    """Devices that are signed in, newest use first."""
    found = (
        select(Signin)
        .where(
            Signin.tenant_id == tenant_id,
            Signin.principal_id == person_id,
            Signin.revoked_at.is_(None),
            Signin.expires_at > now,
        )
        .order_by(Signin.seen_at.desc())
        .limit(100)
    )
    return [
        {"device_id": row.id, "device": row.device, "created_at": row.created_at, "seen_at": row.seen_at}
        for row in db.scalars(found)
    ]


def revoke_device(db: Session, tenant_id: UUID, person_id: UUID, signin_id: UUID, now: datetime) -> None:
    """Raises NotFound `device_unknown`, also where the device is somebody else's."""
    row = db.get(Signin, {"tenant_id": tenant_id, "id": signin_id})
    if row is None or row.principal_id != person_id:
        raise NotFound("device_unknown", device_id=str(signin_id))
    row.revoked_at = row.revoked_at or now
    db.flush()


def revoke_all(db: Session, tenant_id: UUID, person_id: UUID, now: datetime) -> int:
    """Every sign-in of a person ends, and their phones are told nothing more: a new password, or nobody any more."""
    ended = db.execute(
        update(Signin)
        .where(Signin.tenant_id == tenant_id, Signin.principal_id == person_id, Signin.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    db.execute(
        update(PushTarget)
        .where(
            PushTarget.tenant_id == tenant_id,
            PushTarget.engineer_id == person_id,
            PushTarget.gone_at.is_(None),
        )
        .values(gone_at=now)
    )
    return int(getattr(ended, "rowcount", 0))


def territories_of(db: Session, tenant_id: UUID, dispatcher_id: UUID) -> frozenset[UUID]:
    """The territories a dispatcher is bound to; none means all."""
    found = select(DispatcherTerritory.territory_id).where(
        DispatcherTerritory.tenant_id == tenant_id, DispatcherTerritory.dispatcher_id == dispatcher_id
    )
    return frozenset(db.scalars(found))


def revoke_others(db: Session, tenant_id: UUID, person_id: UUID, kept: UUID, now: datetime) -> None:
    """Every sign-in of a person but one ends."""
    db.execute(
        update(Signin)
        .where(
            Signin.tenant_id == tenant_id,
            Signin.principal_id == person_id,
            Signin.id != kept,
            Signin.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )


def prove_again(db: Session, tenant_id: UUID, signin_id: UUID, now: datetime) -> None:
    db.execute(
        update(Signin).where(Signin.tenant_id == tenant_id, Signin.id == signin_id).values(proven_at=now)
    )


def proven_lately(db: Session, tenant_id: UUID, signin_id: UUID, now: datetime) -> bool:
    """This sign-in has seen a password or a second factor within PROOF."""
    row = db.get(Signin, {"tenant_id": tenant_id, "id": signin_id})
    return row is not None and now - row.proven_at <= PROOF


def attempts_of(
    database: Database, kind: str, signin_id: str, person: Person | None, device_hash: bytes | None
) -> bytes:
    """The name failures are counted under. A device the person has used before counts apart from strangers'."""
    name = f"{kind}:{signin_id.lower()}".encode()
    if person is not None and device_hash is not None:
        known = select(
            exists().where(
                Signin.tenant_id == person.tenant_id,
                Signin.principal_id == person.id,
                Signin.device_hash == device_hash,
            )
        )
        with database.transaction(person.tenant_id) as db:
            if db.execute(known).scalar():
                name += b":" + device_hash
    return sha256(name).digest()


def attempt_wait(database: Database, lookup: bytes, now: datetime) -> timedelta:
    """How long the next attempt under this name must wait."""
    with database.transaction(None) as db:
        row = db.get(SigninAttempt, lookup)
    return wait_after(row.failures, row.last_at, now) if row is not None else timedelta()


def attempt_failed(database: Database, lookup: bytes, now: datetime) -> None:
    old = now - FORGOTTEN_AFTER
    row = insert(SigninAttempt).values(lookup=lookup, failures=1, last_at=now)
    more = row.on_conflict_do_update(
        index_elements=["lookup"],
        set_={"failures": SigninAttempt.failures + 1, "last_at": now},
    )
    swept = select(SigninAttempt.lookup).where(SigninAttempt.last_at < old).limit(SWEPT_AT_ONCE)
    with database.transaction(None) as db:
        db.execute(
            delete(SigninAttempt).where(SigninAttempt.lookup.in_(swept.with_for_update(skip_locked=True)))
        )
        db.execute(more)


def attempt_succeeded(database: Database, lookup: bytes) -> None:
    with database.transaction(None) as db:
        db.execute(delete(SigninAttempt).where(SigninAttempt.lookup == lookup))
