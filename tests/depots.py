"""A depot with parts in it, and vans loaded from it, over HTTP."""

from typing import Any

from dispatch.store.ids import new_id
from tests.house import Town, ok

DEPOT = {"zh": "主仓库", "en": "Main depot"}


def line(part: str, quantity: object, serial: str | None = None) -> dict[str, Any]:
    return {"part": part, "quantity": str(quantity), "serial": serial}


def depot(town: Town, code: str = "main") -> str:
    """A new depot's id."""
    depot_id = str(new_id())
    url = f"/dispatcher/v1/depots/{depot_id}"
    ok(town.product.client.put(url, json={"code": code, "name": DEPOT}, headers=town.board("Ada")))
    return depot_id


def book(town: Town, what: str, depot_id: str, lines: list[dict[str, Any]], **more: str) -> Any:
    """`deliveries`, `van_loads` or `van_returns`; the raw reply."""
    body = {"command_id": str(new_id()), "lines": lines, **more}
    url = f"/dispatcher/v1/depots/{depot_id}/{what}"
    return town.product.client.post(url, json=body, headers=town.board())


def stocked_depot(town: Town, *lines: dict[str, Any]) -> str:
    """A depot that has taken in these lines from a supplier."""
    depot_id = depot(town)
    ok(book(town, "deliveries", depot_id, list(lines), reference="DN-1"))
    return depot_id


def load(town: Town, depot_id: str, name: str, *lines: dict[str, Any]) -> None:
    """These lines into an engineer's van."""
    ok(book(town, "van_loads", depot_id, list(lines), engineer_id=str(town.made.engineers[name])))
