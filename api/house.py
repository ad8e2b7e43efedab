"""What the endpoints share: the house of one process, replies, and wire → domain conversions."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

import orjson
from fastapi import Depends, Request, Response
from pydantic import BaseModel

from api.places import Places
from api.position_log import PositionLog
from api.problems import problem_body, trace_of
from api.signin import Doorkeeper, principal
from dispatch.actions.step import Answer, House, Work, read_rules, run_command
from dispatch.adapters.oidc import OidcClient
from dispatch.adapters.outside import OutsideClient
from dispatch.adapters.papers import PaperPress
from dispatch.adapters.photos import PhotoPipeline
from dispatch.adapters.sms import SmsSender
from dispatch.adapters.storage import BlobStore
from dispatch.domain.commands import Command, Facts, MachineDone, PartUsed, Principal, QuoteLine, Reading
from dispatch.domain.tenancy import TenantRules
from dispatch.settings import Settings
from geo.datum import point_to_wgs84, points_to_wgs84
from geo.points import Point

Asking = Annotated[Principal, Depends(principal)]


class Rooms:
    """One process's parts, made once at start-up."""

    def __init__(
        self,
        settings: Settings,
        house: House,
        doorkeeper: Doorkeeper,
        photos: PhotoPipeline,
        blobs: BlobStore,
        places: Places,
        sms: SmsSender | None = None,
    ) -> None:
        """`sms` sends one-time codes; without it engineers sign in by password alone."""
        self.settings = settings
        self.house = house
        self.doorkeeper = doorkeeper
        self.photos = photos
        self.blobs = blobs
        self.press = PaperPress()
        self.sms = sms
        self.oidc = OidcClient(OutsideClient(settings.oidc_private_hosts))
        self.position_log = PositionLog(house.database)
        self._places = places

    def places_site(self, address: str) -> Point | None:
        """The position of an address the gazetteer is sure of."""
        return self._places.site(address)

    @property
    def photo_bytes(self) -> int:
        """The largest photo taken in."""
        return 50 * 1024 * 1024

    def position_shown(self, viewer: Principal, engineers: list[UUID]) -> None:
        """A board was sent where these engineers are."""
        self.position_log.note(viewer, engineers, self.house.now())

    def rules(self, tenant_id: UUID) -> TenantRules:
        return self.house.database.run(tenant_id, lambda db: read_rules(db, tenant_id))


async def rooms(request: Request) -> Rooms:
    """Async, so that no thread is asked for it."""
    return cast(Rooms, request.app.state.rooms)


Here = Annotated[Rooms, Depends(rooms)]


def reply(body: Any, status: int = 200) -> Response:
    """Plain values as JSON, without a second validation of what SQL already shaped."""
    return Response(orjson.dumps(body, default=_plain), status_code=status, media_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value)} does not belong in a reply")


def refused(answer: Answer, trace_id: str) -> dict[str, Any] | None:
    """The problem's body where the answer is a refusal, None where it is a result."""
    if answer.status < 400:
        return None
    return problem_body(answer.status, answer.body["code"], answer.body["facts"], trace_id)


def refusal_reply(answer: Answer, trace_id: str) -> Response | None:
    body = refused(answer, trace_id)
    if body is None:
        return None
    return Response(orjson.dumps(body), status_code=answer.status, media_type="application/problem+json")


def once(
    rooms: Rooms,
    asking: Principal,
    request: Request,
    command_id: UUID,
    asked: bytes,
    work: Work,
    status: int = 200,
) -> Response:
    """`work` done once for this command id, and its result; or the problem that says why not."""
    answer = run_command(rooms.house, asking, command_id, asked, work)
    return refusal_reply(answer, trace_of(request)) or reply(answer.body, status)


def request_hash(*parts: object) -> bytes:
    """SHA-256 of what was asked, so that the same command id with another body is told apart."""
    digest = hashlib.sha256()
    for part in parts:
        text = part.model_dump_json() if isinstance(part, BaseModel) else str(part)
        digest.update(text.encode() + b"\0")
    return digest.digest()


def to_command(
    command_id: UUID, ticket_id: UUID, action: str, facts: BaseModel, at: datetime | None
) -> Command:
    """The wire's command as the domain's."""
    return Command(
        command_id=command_id,
        ticket_id=ticket_id,
        action=action,
        facts=to_facts(facts),
        device_at=at,
        request_hash=request_hash(ticket_id, action, facts),
    )


def to_facts(wire: BaseModel) -> Facts:
    """Fields of the same name; positions become WGS-84 with the raw reading beside them. Raises GeoError."""
    plain: dict[str, Any] = {}
    for name in wire.__class__.model_fields:
        value = getattr(wire, name)
        if value is None:
            continue
        if name == "position":
            value = to_reading(value)
        elif name == "site":
            point = point_to_wgs84(value.lon, value.lat, value.datum.value)
            value = (point.lon, point.lat)
        elif name == "quote_lines":
            value = tuple(QuoteLine(**line.model_dump()) for line in value)
        elif name == "parts_used":
            value = tuple(PartUsed(**part.model_dump()) for part in value)
        elif name == "checklist":
            value = tuple(item.model_dump() for item in value)
        elif name == "machines":
            value = tuple(to_machine(machine) for machine in value)
        elif isinstance(value, list):
            value = tuple(value)
        plain[name] = value
    return Facts(**plain)


def to_machine(wire: Any) -> MachineDone:
    answers = tuple(answer.model_dump() for answer in wire.checklist)
    return MachineDone(wire.asset_id, wire.outcome, answers, wire.text)


def to_reading(wire: Any) -> Reading:
    """A phone's position, converted once, at the edge."""
    return to_readings([wire])[0]


def to_readings(wires: Sequence[Any]) -> list[Reading]:
    """As `to_reading`, those of one datum at once: undoing a shift costs as much for one as for hundreds."""
    points: dict[int, Point] = {}
    for datum in {wire.datum for wire in wires}:
        these = [n for n, wire in enumerate(wires) if wire.datum is datum]
        found = points_to_wgs84([(wires[n].lon, wires[n].lat) for n in these], datum.value)
        points |= dict(zip(these, found, strict=True))
    return [
        Reading(
            lon=points[n].lon,
            lat=points[n].lat,
            accuracy_m=wire.accuracy_m,
            at=wire.at,
            raw_lon=wire.lon,
            raw_lat=wire.lat,
            datum=wire.datum.value,
            mock=wire.mock,
            speed_mps=wire.speed_mps,
        )
        for n, wire in enumerate(wires)
    ]
