"""What a posted form holds: texts, photos, and the command they make."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api.customer.views import CustomerCommand, CustomerFacts, RequestedTicket
from dispatch.domain.errors import NotReady

PHOTOS = 5
PHOTO_BYTES = 50 * 1024 * 1024
FIELDS = 40
FIELD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it came: fields without line noise, photos in the order chosen."""

    fields: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    photos: list[bytes] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The field's text, None where it is missing or blank."""
        return self.fields.get(name) or None

    @property
    def command_id(self) -> UUID:
        """Raises NotReady `request_invalid`."""
        try:
            return UUID(self.fields.get("command_id", ""))
        except ValueError:
            raise invalid("other") from None

    def photo_id(self, number: int) -> UUID:
        """The same form sent twice names the same photos."""
        return uuid5(self.command_id, f"photo {number}")


def invalid(*names: str) -> NotReady:
    """Raised where fields are missing or malformed; names them."""
    return NotReady("request_invalid", fields=list(names))


async def read_form(request: Request) -> Sent:
    """The posted form.

    Raises NotReady `too_many_photos`, `photo_too_large`; HTTPException for what is no form.
    """
    sent = Sent()
    try:
        async with request.form(max_files=PHOTOS + 1, max_fields=FIELDS, max_part_size=FIELD_BYTES) as form:
            files = [value for _, value in form.multi_items() if isinstance(value, UploadFile) and value.size]
            if len(files) > PHOTOS:
                raise NotReady("too_many_photos", most=PHOTOS)
            if sum(file.size or 0 for file in files) > PHOTO_BYTES:
                raise NotReady("photo_too_large", max_bytes=PHOTO_BYTES)
            sent.photos.extend([await file.read() for file in files])
            for name, value in form.multi_items():
                if isinstance(value, str):
                    sent.fields[name] = value.replace("\0", "").strip()
                    sent.lists.setdefault(name, []).append(value)
    except HTTPException as error:
        if "Too many files" in str(error.detail):
            raise NotReady("too_many_photos", most=PHOTOS) from error
        raise
    except UnicodeDecodeError as error:
        raise invalid("other") from error
    return sent


def to_request(sent: Sent) -> RequestedTicket:
    """The request form as the JSON twin takes it. Raises NotReady `request_invalid` with the fields."""
    names = ("work_type", "description", "address", "door", "contact_name", "contact_phone", "language")
    given = {name: sent.get(name) for name in names}
    return _checked(RequestedTicket, {"command_id": sent.command_id, **given})


#: What each action reads of its form; the rest is left where it is.
_FACTS = {
    "sign_off": ("rating", "text", "photo_ids"),
    "reject": ("reason", "text", "photo_ids"),
    "cancel": ("reason", "text"),
    "reopen": ("reason", "text"),
    "refuse_quote": ("text",),
    "rebook": ("window_from", "window_to"),
    "approve_quote": (),
    "urge": (),
}


def to_command(sent: Sent, zone: ZoneInfo, kept: list[UUID]) -> CustomerCommand:
    """The action's form as the JSON twin takes it; `kept` are photos that came with it.

    Raises NotReady `request_invalid`, `window_invalid`, `action_unknown`.
    """
    action = sent.get("action") or ""
    if action not in _FACTS:
        raise NotReady("action_unknown", action=action[:40])
    start, end = _window(sent, zone) if action == "rebook" else (None, None)
    every: dict[str, Any] = {
        "rating": sent.get("rating"),
        "reason": sent.get("reason"),
        "text": sent.get("text"),
        "photo_ids": [*(i for i in sent.lists.get("photo_ids", []) if i), *kept],
        "window_from": start,
        "window_to": end,
    }
    facts = _checked(CustomerFacts, {name: every[name] for name in _FACTS[action]})
    return CustomerCommand(command_id=sent.command_id, action=action, facts=facts)


def _window(sent: Sent, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Day and hours on the site's wall clock. A time that daylight saving skips is read one hour later."""
    day, start, end = (sent.get(name) for name in ("day", "from", "to"))
    if not day or not start or not end:
        raise NotReady("window_invalid", why="half")
    try:
        wall = [datetime.fromisoformat(f"{day}T{time}") for time in (start, end)]
    except ValueError:
        raise NotReady("window_invalid", why="malformed") from None
    if any(at.tzinfo is not None or not 2000 < at.year < 9000 for at in wall):
        raise NotReady("window_invalid", why="malformed")
    return wall[0].replace(tzinfo=zone), wall[1].replace(tzinfo=zone)


Shape = TypeVar("Shape", bound=BaseModel)


def _checked(shape: type[Shape], given: dict[str, Any]) -> Shape:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise invalid(*dict.fromkeys(str(item["loc"][0]) for item in error.errors())) from error
