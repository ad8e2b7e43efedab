"""A dispatcher's sign-in: password, then the second factor where there is one; proof again before what is grave."""

from uuid import UUID

from api.house import Rooms
from api.problems import SignInRequired
from api.signin import NOBODY, SignedIn, matches, new_password
from dispatch.actions.identity import find_person, prove_again, revoke_others
from dispatch.actions.identity_oidc import provider_only
from dispatch.actions.identity_totp import use_second_factor
from dispatch.domain.commands import Principal
from dispatch.domain.errors import NotFound
from dispatch.store.tables.tenants import Dispatcher


def sign_in_board(here: Rooms, signin_id: str, password: str, code: str | None) -> SignedIn:
    """Raises SignInRequired `signin_refused`, `provider_only`, `second_factor_required`, `second_factor_wrong`;
    TooOften."""
    doors = here.doorkeeper
    person = find_person(here.house.database, "dispatcher", signin_id)
    with doors.attempt("dispatcher", signin_id, person, None):
        if not matches(person.password_hash if person else NOBODY, password) or person is None:
            raise SignInRequired("signin_refused")
        assert isinstance(person, Dispatcher)
        _must_use_passwords(here, person)
        if person.totp_at is not None and code:
            _check_code(here, person.tenant_id, person.id, code)
    if person.totp_at is not None and not code:
        raise SignInRequired("second_factor_required")
    return doors.begin(person, "board")


def prove(here: Rooms, asking: Principal, password: str | None, code: str | None) -> None:
    """The person behind this sign-in, once more: by the second factor where there is one, else by the password.

    Raises SignInRequired `proof_refused`, `provider_only`, TooOften.
    """
    doors = here.doorkeeper
    person = read_dispatcher(here, asking)
    if person.totp_at is None:
        _must_use_passwords(here, person)
    with doors.attempt("dispatcher", person.signin_id, person, None):
        if person.totp_at is not None:
            _check_code(here, asking.tenant_id, asking.id, code or "", "proof_refused")
        elif not matches(person.password_hash, password or ""):
            raise SignInRequired("proof_refused")
    assert asking.signin_id is not None
    with here.house.database.transaction(asking.tenant_id) as db:
        prove_again(db, asking.tenant_id, asking.signin_id, doors.wall())


def change_password(here: Rooms, asking: Principal, old: str, new: str) -> None:
    """Every other sign-in of this person ends. Raises SignInRequired `proof_refused`, NotReady `password_common`,
    TooOften."""
    doors = here.doorkeeper
    person = read_dispatcher(here, asking)
    with doors.attempt("dispatcher", person.signin_id, person, None):
        if not matches(person.password_hash, old):
            raise SignInRequired("proof_refused")
    fresh = new_password(new, person.signin_id, person.name)
    with here.house.database.transaction(asking.tenant_id) as db:
        row = db.get(Dispatcher, {"tenant_id": asking.tenant_id, "id": asking.id})
        assert row is not None
        assert asking.signin_id is not None
        row.password_hash = fresh
        revoke_others(db, asking.tenant_id, asking.id, asking.signin_id, doors.wall())


def read_dispatcher(here: Rooms, asking: Principal) -> Dispatcher:
    with here.house.database.transaction(asking.tenant_id) as db:
        person = db.get(Dispatcher, {"tenant_id": asking.tenant_id, "id": asking.id})
    if person is None:
        raise NotFound("dispatcher_unknown")
    return person


def _must_use_passwords(here: Rooms, person: Dispatcher) -> None:
    """Raises SignInRequired `provider_only` where the company lets its own dispatchers in through its provider alone."""
    with here.house.database.transaction(person.tenant_id) as db:
        if provider_only(db, person):
            raise SignInRequired("provider_only")


def _check_code(
    here: Rooms, tenant_id: UUID, dispatcher_id: UUID, code: str, refusal: str = "second_factor_wrong"
) -> None:
    """Under the row's lock, so that one code does not let two in."""
    with here.house.database.transaction(tenant_id) as db:
        key = {"tenant_id": tenant_id, "id": dispatcher_id}
        row = db.get(Dispatcher, key, with_for_update=True)
        assert row is not None
        if not use_second_factor(db, here.house.personal, row, code, here.doorkeeper.wall()):
            raise SignInRequired(refusal)
