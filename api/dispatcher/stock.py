"""Parts, depots and what lies in them and in vans, over HTTP."""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.declared import problems
from api.dispatcher import stock_views as views
from api.dispatcher.proof_views import Kept
from api.house import Asking, Here, once, reply, request_hash
from dispatch.actions import money_settlement, stock
from dispatch.actions.step import Step, run_step
from dispatch.domain.errors import NotReady
from dispatch.domain.stock import Place, StockLine
from dispatch.store.queries import stock as reads
from geo.datum import point_to_wgs84

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])

PartCode = Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,40}$")]
#: Ids of the ledger go up from 1; none has more digits.
MovementPageKey = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
OwedPartPageKey = Annotated[str | None, Query(pattern=r"^[0-9a-f-]{36}\.[a-z0-9_]{1,40}\.[0-9a-f-]{36}$")]
OldPartPageKey = Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,40}\.[0-9a-f-]{36}$")]
_CHANGE = problems(401, 403, 404, 409, 422)
_READ = problems(401, 403, 422)


@endpoints.get("/parts", operation_id="dispatcher_parts", response_model=views.PartPage, responses=_READ)
def parts(asking: Asking, here: Here, page: PartCode = None) -> Response:
    """Parts, and how many of each the vans and the depots hold."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(reads.read_parts(db, asking.tenant_id, page))


@endpoints.put(
    "/parts", operation_id="dispatcher_put_parts", response_model=Kept, responses=problems(401, 403, 409, 422)
)
def put_parts(body: views.PartsWanted, asking: Asking, here: Here) -> Response:
    """Parts added or changed."""
    lines = [line.model_dump() for line in body.lines]
    if len({line["code"] for line in lines}) < len(lines):
        raise NotReady("line_twice", key=["code"])
    run_step(here.house, asking, lambda step: money_settlement.put_parts(step, lines))
    return reply({"lines": len(lines)})


@endpoints.get("/depots", operation_id="dispatcher_depots", response_model=views.DepotPage, responses=_READ)
def depots(asking: Asking, here: Here, page: PartCode = None) -> Response:
    """Where parts come in and vans are loaded."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(reads.read_depots(db, asking.tenant_id, page))


@endpoints.put(
    "/depots/{depot_id}",
    operation_id="dispatcher_put_depot",
    response_model=views.DepotSaved,
    responses=_CHANGE,
)
def put_depot(depot_id: UUID, body: views.DepotWanted, asking: Asking, here: Here) -> Response:
    """A depot made or changed; one that is not active takes nothing in and gives nothing out."""
    place, name = body.position, body.name.model_dump()
    point = point_to_wgs84(place.lon, place.lat, place.datum.value) if place else None
    run_step(
        here.house, asking, lambda step: stock.put_depot(step, depot_id, body.code, name, point, body.active)
    )
    return reply({"id": depot_id})


@endpoints.post(
    "/depots/{depot_id}/deliveries",
    operation_id="dispatcher_receive_parts",
    response_model=Kept,
    responses=_CHANGE,
)
def receive(depot_id: UUID, body: views.Delivery, asking: Asking, here: Here, request: Request) -> Response:
    """A supplier's delivery into the depot, once for the command id and once for its delivery note."""

    def book(step: Step, lines: list[StockLine]) -> None:
        stock.receive(step, depot_id, body.reference, lines)

    return _booked(here, asking, request, body, (depot_id,), book)


@endpoints.post(
    "/depots/{depot_id}/van_loads", operation_id="dispatcher_load_van", response_model=Kept, responses=_CHANGE
)
def load_van(depot_id: UUID, body: views.VanLines, asking: Asking, here: Here, request: Request) -> Response:
    """Parts from the depot into an engineer's van, once for the command id."""

    def book(step: Step, lines: list[StockLine]) -> None:
        stock.load_van(step, depot_id, body.engineer_id, lines)

    return _booked(here, asking, request, body, (depot_id, "load"), book)


@endpoints.post(
    "/depots/{depot_id}/van_returns",
    operation_id="dispatcher_unload_van",
    response_model=Kept,
    responses=_CHANGE,
)
def unload_van(
    depot_id: UUID, body: views.VanLines, asking: Asking, here: Here, request: Request
) -> Response:
    """Parts from an engineer's van back into the depot, once for the command id."""

    def book(step: Step, lines: list[StockLine]) -> None:
        stock.unload_van(step, depot_id, body.engineer_id, lines)

    return _booked(here, asking, request, body, (depot_id, "unload"), book)


@endpoints.get(
    "/old_parts", operation_id="dispatcher_old_parts", response_model=views.OldPartPage, responses=_READ
)
def old_parts(asking: Asking, here: Here, page: OldPartPageKey = None) -> Response:
    """Old parts taken from customers that are still with engineers or in depots."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(reads.read_old_parts(db, asking.tenant_id, page))


@endpoints.get(
    "/owed_parts", operation_id="dispatcher_owed_parts", response_model=views.OwedPartPage, responses=_READ
)
def owed_parts(asking: Asking, here: Here, page: OwedPartPageKey = None) -> Response:
    """Old parts that should have come back from tickets and did not."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(reads.read_owed_parts(db, asking.tenant_id, page))


@endpoints.post(
    "/tickets/{ticket_id}/old_parts",
    operation_id="dispatcher_bring_old_parts",
    response_model=Kept,
    responses=_CHANGE,
)
def bring_old(
    ticket_id: UUID, body: views.OldPartsIn, asking: Asking, here: Here, request: Request
) -> Response:
    """Old parts that were kept back when the work was completed, once for the command id."""

    def book(step: Step, lines: list[StockLine]) -> None:
        stock.bring_old(step, ticket_id, body.engineer_id, lines)

    return _booked(here, asking, request, body, (ticket_id, "old late"), book)


@endpoints.post(
    "/depots/{depot_id}/old_parts_in",
    operation_id="dispatcher_take_old_parts",
    response_model=Kept,
    responses=_CHANGE,
)
def take_old(
    depot_id: UUID, body: views.OldPartsIn, asking: Asking, here: Here, request: Request
) -> Response:
    """Old parts from an engineer into the depot, once for the command id."""

    def book(step: Step, lines: list[StockLine]) -> None:
        stock.take_old(step, depot_id, body.engineer_id, lines)

    return _booked(here, asking, request, body, (depot_id, "old in"), book)


@endpoints.post(
    "/depots/{depot_id}/old_parts_out",
    operation_id="dispatcher_book_out_old_parts",
    response_model=Kept,
    responses=_CHANGE,
)
def book_out_old(
    depot_id: UUID, body: views.OldPartsOut, asking: Asking, here: Here, request: Request
) -> Response:
    """Old parts out of the depot, scrapped or to the supplier, once for the command id."""

    def book(step: Step, lines: list[StockLine]) -> None:
        stock.book_out_old(step, depot_id, body.to, body.reference, lines)

    return _booked(here, asking, request, body, (depot_id, "old out"), book)


@endpoints.post("/stock_takes", operation_id="dispatcher_take_stock", response_model=Kept, responses=_CHANGE)
def take_stock(body: views.StockTake, asking: Asking, here: Here, request: Request) -> Response:
    """What was counted in a depot or a van, with the reason; `lines` says how many the books had wrong."""
    place = _place(body.depot_id, body.engineer_id)
    lines = [StockLine(line.part, line.counted, line.serial) for line in body.lines]

    def work(step: Step) -> dict[str, Any]:
        return stock.take_stock(step, place, body.reason, lines)

    return once(here, asking, request, body.command_id, request_hash(body), work)


@endpoints.get("/stock", operation_id="dispatcher_stock", response_model=views.StockPage, responses=_READ)
def stock_of(
    asking: Asking,
    here: Here,
    depot_id: UUID | None = None,
    engineer_id: UUID | None = None,
    page: PartCode = None,
) -> Response:
    """What one depot or one van holds by its books."""
    place = _place(depot_id, engineer_id)
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(reads.read_stock(db, asking.tenant_id, place, page))


@endpoints.get(
    "/part_movements",
    operation_id="dispatcher_part_movements",
    response_model=views.MovementPage,
    responses=_READ,
)
def movements(
    asking: Asking,
    here: Here,
    part: PartCode = None,
    depot_id: UUID | None = None,
    engineer_id: UUID | None = None,
    page: MovementPageKey = None,
) -> Response:
    """The ledger of parts, newest first: of one part, of one depot or van, of all."""
    place = _place(depot_id, engineer_id) if depot_id or engineer_id else None
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(reads.read_movements(db, asking.tenant_id, part, place, page))


def _place(depot_id: UUID | None, engineer_id: UUID | None) -> Place:
    """Raises NotReady `place_missing` for neither and for both."""
    kind: Literal["depot", "van"] = "depot" if depot_id else "van"
    one = depot_id or engineer_id
    if one is None or (depot_id and engineer_id):
        raise NotReady("place_missing")
    return Place(kind, one)


def _booked(
    here: Here,
    asking: Asking,
    request: Request,
    body: views.Delivery | views.VanLines | views.OldPartsIn | views.OldPartsOut,
    key: tuple[object, ...],
    book: Callable[[Step, list[StockLine]], None],
) -> Response:
    """The body's lines as `book` books them, once for its command id; another `key` or body under that id is refused."""
    lines = [StockLine(**line.model_dump()) for line in body.lines]

    def work(step: Step) -> dict[str, Any]:
        book(step, lines)
        return {"lines": len(lines)}

    return once(here, asking, request, body.command_id, request_hash(*key, body), work)
