"""A new data key: what older keys sealed is sealed again, some rows at a time, while everybody works on.

Set the new key as PAIDAN_DATA_KEY and the old one as PAIDAN_PREVIOUS_DATA_KEYS, restart one process after the
other, let the nightly job run, then take the old key away. `left` says when that may be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dispatch.actions.step import Step
from dispatch.store.personal import PersonalData, phone_digits
from dispatch.store.queries.reading import fetch

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Sealed:
    """One encrypted column: whose row it is bound to, under which name, and what it is found by."""

    table: str
    column: str
    name: str
    blinds: tuple[tuple[str, Callable[[str], str | None]], ...] = ()


def _last4(phone: str) -> str | None:
    digits = phone_digits(phone)
    return digits[-4:] if digits else None


def _same(text: str) -> str:
    return text


SEALED = (
    Sealed("customers", "name_enc", "name"),
    Sealed("customers", "phone_enc", "phone", (("phone_blind", phone_digits), ("phone_last4_blind", _last4))),
    Sealed("tickets", "door_enc", "door"),
    Sealed("tickets", "contact_name_enc", "contact_name"),
    Sealed(
        "tickets",
        "contact_phone_enc",
        "contact_phone",
        (("contact_phone_blind", phone_digits), ("contact_last4_blind", _last4)),
    ),
    Sealed("engineers", "phone_enc", "phone", (("phone_blind", phone_digits),)),
    Sealed("dispatchers", "totp_enc", "totp"),
    Sealed("customer_links", "token_enc", "link"),
    Sealed("tell_targets", "address_enc", "address", (("address_blind", _same),)),
    Sealed("customer_devices", "subscription_enc", "subscription", (("subscription_blind", _same),)),
    Sealed("webhook_endpoints", "secret_enc", "secret"),
    Sealed("webhook_endpoints", "old_secret_enc", "old_secret"),
    Sealed("oidc_providers", "client_secret_enc", "client_secret"),
)
#: Bound to the company and the channel's name instead of a row.
CHANNELS = "channel_settings"


def seal_again(step: Step) -> int:
    """Rows sealed again, AT_ONCE of each column at most: call until it answers 0."""
    done = sum(_column(step, each) for each in SEALED)
    return done + _channels(step)


def left(step: Step) -> int:
    """Values that still need an older key."""
    counts = [
        (f"select count(*) as n from {table} where tenant_id = %(tenant)s and {column} is not null "
         f"and substring({column} from 1 for 5) <> %(prefix)s")
        for table, column in [*((s.table, s.column) for s in SEALED), (CHANNELS, "body_enc")]
    ]  # fmt: skip
    values = {"tenant": step.tenant_id, "prefix": step.personal.prefix}
    return sum(int(fetch(step.db, sql, values)[0]["n"]) for sql in counts)


def _column(step: Step, sealed: Sealed) -> int:
    rows = fetch(
        step.db,
        f"select id, {sealed.column} as sealed from {sealed.table} where tenant_id = %(tenant)s "
        f"and {sealed.column} is not null and substring({sealed.column} from 1 for 5) <> %(prefix)s "
        f"order by id limit {AT_ONCE} for update skip locked",
        {"tenant": step.tenant_id, "prefix": step.personal.prefix},
    )
    names = [column for column, _ in sealed.blinds]
    sets = ", ".join(f"{column} = %({column})s" for column in (sealed.column, *names))
    for row in rows:
        text = step.personal.decrypt(row["sealed"], step.tenant_id, row["id"], sealed.name)
        values = _fresh(step.personal, step.tenant_id, row["id"], text or "", sealed)
        fetch(
            step.db,
            f"update {sealed.table} set {sets} where tenant_id = %(tenant)s and id = %(id)s",
            {"tenant": step.tenant_id, "id": row["id"], **values},
        )
    return len(rows)


def _fresh(
    personal: PersonalData, tenant_id: UUID, row_id: UUID, text: str, sealed: Sealed
) -> dict[str, Any]:
    found = {column: personal.blind(part(text), tenant_id) for column, part in sealed.blinds}
    return {sealed.column: personal.encrypt(text, tenant_id, row_id, sealed.name), **found}


def _channels(step: Step) -> int:
    values = {"tenant": step.tenant_id, "prefix": step.personal.prefix}
    rows = fetch(
        step.db,
        f"select channel, body_enc from {CHANNELS} where tenant_id = %(tenant)s "
        "and substring(body_enc from 1 for 5) <> %(prefix)s for update skip locked",
        values,
    )
    for row in rows:
        name = f"channel/{row['channel']}"
        text = step.personal.decrypt(row["body_enc"], step.tenant_id, step.tenant_id, name)
        body = step.personal.encrypt(text, step.tenant_id, step.tenant_id, name)
        fetch(
            step.db,
            f"update {CHANNELS} set body_enc = %(body)s where tenant_id = %(tenant)s and channel = %(channel)s",
            {"tenant": step.tenant_id, "channel": row["channel"], "body": body},
        )
    return len(rows)
