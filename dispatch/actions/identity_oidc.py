"""Signing in through a company's own provider: which one, whom it may vouch for, and who that is here.

The provider never makes anybody: an admin names the e-mail of somebody who is there, the first sign-in binds the
provider's subject to them, and from then on only that subject is this person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch.actions.identity import read_person
from dispatch.adapters.oidc import OidcClient, Provider, Vouched
from dispatch.adapters.outside import RefusedTarget
from dispatch.domain.commands import Role
from dispatch.domain.errors import Conflict, Forbidden, NotFound, NotReady
from dispatch.domain.identity import JOURNEY
from dispatch.store.ids import new_id
from dispatch.store.personal import PersonalData
from dispatch.store.tables.identity import OidcPerson, OidcProvider, OidcState
from dispatch.store.tables.tenants import DirectoryEntry, Dispatcher, Signin, Tenant
from dispatch.store.transactions import Database


@dataclass(frozen=True, slots=True)
class ProviderWanted:
    """`client_secret` None keeps the one that is there, which is asked for anew with another issuer or client."""

    issuer: str
    client_id: str
    client_secret: str | None
    email_domains: Sequence[str]
    active: bool = True
    only: bool = False


def company_of(database: Database, slug: str | None) -> tuple[str, UUID] | None:
    """The company, by its short name, that has a provider; without a name where it is the installation's only company:
    nobody is led to another company's provider."""
    with database.transaction(None) as db:
        if slug is not None:
            entry = db.get(DirectoryEntry, f"oidc:{slug}")
            return None if entry is None else (slug, entry.tenant_id)
        companies = db.scalars(select(DirectoryEntry).where(DirectoryEntry.kind == "tenant").limit(2)).all()
        kept = db.scalars(select(DirectoryEntry).where(DirectoryEntry.kind == "oidc").limit(1)).all()
    if len(companies) != 1 or not kept:
        return None
    return kept[0].lookup.removeprefix("oidc:"), kept[0].tenant_id


def read_provider(db: Session, personal: PersonalData, tenant_id: UUID) -> Provider | None:
    """The provider with its secret, while it is switched on."""
    row = _row(db, tenant_id)
    if row is None or not row.active:
        return None
    secret = personal.decrypt(row.client_secret_enc, tenant_id, row.id, "client_secret")
    return Provider(row.issuer, row.client_id, secret or "")


def read_settings(db: Session, tenant_id: UUID) -> dict[str, Any]:
    """What an admin sees: the provider without its secret, and whom it may vouch for."""
    row = _row(db, tenant_id)
    people = db.scalars(
        select(OidcPerson).where(OidcPerson.tenant_id == tenant_id).order_by(OidcPerson.email).limit(500)
    )
    provider = None
    if row is not None:
        provider = {
            "issuer": row.issuer,
            "client_id": row.client_id,
            "email_domains": row.email_domains,
            "active": row.active,
            "only": row.only,
        }
    return {
        "company": db.get_one(Tenant, tenant_id).slug,
        "provider": provider,
        "people": [
            {"dispatcher_id": p.dispatcher_id, "email": p.email, "linked_at": p.linked_at} for p in people
        ],
    }


def put_provider(
    db: Session,
    personal: PersonalData,
    client: OidcClient,
    tenant_id: UUID,
    wanted: ProviderWanted,
    wall: datetime,
    signin_id: UUID | None,
) -> None:
    """Raises NotReady `url_…` where no provider may be, `oidc_secret_wanted`, and `oidc_signin_wanted` where `only`
    is asked for by a sign-in that did not come through this very provider.

    With another issuer or client, subjects mean somebody else: everybody is bound anew.
    """
    try:
        client.check(wanted.issuer)
    except RefusedTarget as error:
        raise NotReady(error.code) from error
    tenant = db.get_one(Tenant, tenant_id, with_for_update=True)
    row = _row(db, tenant_id)
    same = row is not None and (row.issuer, row.client_id) == (wanted.issuer, wanted.client_id)
    if not same and not wanted.client_secret:
        raise NotReady("oidc_secret_wanted")
    if row is None:
        row = OidcProvider(tenant_id=tenant_id, id=new_id())
        db.add(row)
    if wanted.client_secret:
        sealed = personal.encrypt(wanted.client_secret, tenant_id, row.id, "client_secret")
        assert sealed is not None
        row.client_secret_enc = sealed
    row.issuer, row.client_id, row.active = wanted.issuer, wanted.client_id, wanted.active
    row.email_domains, row.changed_at = [each.lower() for each in wanted.email_domains], wall
    only = wanted.only and wanted.active
    if only and not (same and (row.only or _came_through(db, tenant_id, signin_id))):
        raise NotReady("oidc_signin_wanted")
    if only and not row.only:
        _end_by_password(db, tenant_id, wall)
    row.only = only
    if not same:
        unbound = update(OidcPerson).where(OidcPerson.tenant_id == tenant_id)
        db.execute(unbound.values(subject=None, linked_at=None))
    db.flush()
    lookup = f"oidc:{tenant.slug}"
    db.execute(delete(DirectoryEntry).where(DirectoryEntry.lookup == lookup))
    if wanted.active:
        db.add(DirectoryEntry(lookup=lookup, tenant_id=tenant_id, kind="oidc", subject_id=row.id))
    db.flush()


def provider_only(db: Session, person: Dispatcher) -> bool:
    """Whether a password lets this dispatcher in no more. A contractor's have no account at the company's provider."""
    return person.contractor_id is None and is_only(db, person.tenant_id)


def is_only(db: Session, tenant_id: UUID) -> bool:
    """Whether the company has left its provider as the only way in."""
    row = _row(db, tenant_id)
    return row is not None and row.active and row.only


def allow_passwords(db: Session, tenant_id: UUID) -> bool:
    """Let passwords in again, whoever else is locked out; False where they were never shut out."""
    row = _row(db, tenant_id)
    if row is None or not row.only:
        return False
    row.only = False
    db.flush()
    return True


def _came_through(db: Session, tenant_id: UUID, signin_id: UUID | None) -> bool:
    signin = db.get(Signin, {"tenant_id": tenant_id, "id": signin_id}) if signin_id else None
    return signin is not None and signin.by_provider


def _end_by_password(db: Session, tenant_id: UUID, wall: datetime) -> None:
    """Whoever of the company's own dispatchers came by password comes again, the other way."""
    db.execute(
        update(Signin)
        .where(
            Signin.tenant_id == tenant_id,
            Signin.role.in_((str(Role.ADMIN), str(Role.DISPATCHER))),
            Signin.by_provider.is_(False),
            Signin.revoked_at.is_(None),
        )
        .values(revoked_at=wall)
    )


def put_email(db: Session, tenant_id: UUID, dispatcher_id: UUID, email: str | None) -> None:
    """The e-mail by which the provider may vouch for this dispatcher; None takes it away. Given again it undoes
    the binding, for somebody whose account there was made anew. Raises NotFound, Conflict `email_taken`."""
    if read_person(db, tenant_id, "dispatcher", dispatcher_id) is None:
        raise NotFound("dispatcher_unknown", dispatcher_id=str(dispatcher_id))
    theirs = (OidcPerson.tenant_id == tenant_id, OidcPerson.dispatcher_id == dispatcher_id)
    db.execute(delete(OidcPerson).where(*theirs))
    if email is None:
        return
    row = insert(OidcPerson).values(tenant_id=tenant_id, dispatcher_id=dispatcher_id, email=email.lower())
    made = db.execute(row.on_conflict_do_nothing().returning(OidcPerson.dispatcher_id)).first()
    if made is None:
        raise Conflict("email_taken")


def use_state(db: Session, tenant_id: UUID, journey_id: UUID, wall: datetime) -> bool:
    """True the first time; a journey that has ended long ago is refused by its own end, so it is forgotten here."""
    old = (OidcState.tenant_id == tenant_id, OidcState.used_at < wall - 2 * JOURNEY)
    db.execute(delete(OidcState).where(*old))
    row = insert(OidcState).values(tenant_id=tenant_id, id=journey_id, used_at=wall)
    return db.execute(row.on_conflict_do_nothing().returning(OidcState.id)).first() is not None


def find_vouched(db: Session, tenant_id: UUID, vouched: Vouched, wall: datetime) -> Dispatcher:
    """The active dispatcher this is: by the bound subject, else by the verified e-mail, which binds it.

    Raises Forbidden `oidc_email_unverified`, `oidc_domain_refused`, `oidc_person_unknown`, `oidc_other_subject`.
    """
    by_subject = select(OidcPerson).where(
        OidcPerson.tenant_id == tenant_id, OidcPerson.subject == vouched.subject
    )
    row = db.scalars(by_subject.with_for_update()).one_or_none()
    if row is None:
        row = _by_email(db, tenant_id, vouched.email)
        if row.subject is not None:
            raise Forbidden("oidc_other_subject")
        row.subject, row.linked_at = vouched.subject, wall
        db.flush()
    person = read_person(db, tenant_id, "dispatcher", row.dispatcher_id)
    if not isinstance(person, Dispatcher) or not person.active:
        raise Forbidden("oidc_person_unknown")
    return person


def proven_then(person: Dispatcher, vouched: Vouched, wall: datetime) -> datetime:
    """From when the sign-in counts as a proof: when the person signed in at the provider, if it says so. It is none
    for somebody with a second factor, which is asked for before what is grave."""
    if person.totp_at is not None or vouched.proven_at is None:
        return wall - timedelta(days=1)
    return min(vouched.proven_at, wall)


def _by_email(db: Session, tenant_id: UUID, email: str | None) -> OidcPerson:
    if email is None:
        raise Forbidden("oidc_email_unverified")
    provider = _row(db, tenant_id)
    domains = provider.email_domains if provider is not None else []
    if email.rpartition("@")[2] not in domains:
        raise Forbidden("oidc_domain_refused")
    by_email = select(OidcPerson).where(OidcPerson.tenant_id == tenant_id, OidcPerson.email == email)
    row = db.scalars(by_email.with_for_update()).one_or_none()
    if row is None:
        raise Forbidden("oidc_person_unknown")
    return row


def _row(db: Session, tenant_id: UUID) -> OidcProvider | None:
    return db.scalars(select(OidcProvider).where(OidcProvider.tenant_id == tenant_id)).one_or_none()
