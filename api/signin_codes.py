"""One-time codes between an engineer's phone and the sign-in."""

import logging

from api.house import Rooms
from api.problems import SignInRequired
from api.signin import SignedIn
from dispatch.actions.identity import find_person
from dispatch.actions.identity_codes import TEXTS, make_code, use_code
from dispatch.adapters.sms import Sms, SmsSender
from dispatch.store.tables.people import Engineer

log = logging.getLogger("api.signin")


def send_code(here: Rooms, sms: SmsSender, signin_id: str) -> None:
    """A code to the engineer of that name, where there is one, a phone is known and no limit is reached."""
    engineer = None if "\0" in signin_id else find_person(here.house.database, "engineer", signin_id)
    if not isinstance(engineer, Engineer):
        return
    doors = here.doorkeeper
    with here.house.database.transaction(engineer.tenant_id) as db:
        made = make_code(db, here.house.personal, engineer, doors.keys.key, doors.wall())
    if made is None:
        return
    code_id, phone, code = made
    sent = sms.send_sms(Sms(phone, TEXTS[engineer.language].format(code=code), str(code_id)))
    if sent.outcome != "accepted":
        log.warning("a sign-in code was not sent: %s", sent.code)


def sign_in_by_code(here: Rooms, signin_id: str, code: str, device: str, device_id: str | None) -> SignedIn:
    """Raises SignInRequired `code_refused` whatever was wrong, and TooOften."""
    doors, database = here.doorkeeper, here.house.database
    engineer = find_person(database, "engineer", signin_id)
    with doors.attempt("engineer", signin_id, engineer, device_id):
        if not isinstance(engineer, Engineer):
            raise SignInRequired("code_refused")
        with database.transaction(engineer.tenant_id) as db:
            right = use_code(db, engineer, code, doors.keys.keys, doors.wall())
        if not right:
            raise SignInRequired("code_refused")
    return doors.begin(engineer, device, device_id)
