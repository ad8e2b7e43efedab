"""A dispatcher bound to territories sees and directs these alone, by every door; row-level security sees to it."""

import re
from typing import Any

import psycopg
import pytest
from shapely import MultiPolygon, box

from dispatch.actions.identity_admin import set_territories
from dispatch.actions.tenants import add_territory
from dispatch.domain.commands import Role
from dispatch.domain.policy import POLICY
from dispatch.store.ids import new_id
from tests.api.test_authorisation import REQUESTS
from tests.builders import SITE, new_ticket, picture
from tests.databases import Database
from tests.house import Town, ok, refused

EAST = {"lon": SITE.lon + 0.5, "lat": SITE.lat, "datum": "wgs84"}


class TwoTerritories:
    """West, where SITE is and Dora directs; east, where she does not. A ticket in each, and one in neither."""

    def __init__(self, town: Town) -> None:
        self.town, made = town, town.made
        with made.house.database.transaction(made.tenant_id) as db:
            self.west = self.territory(db, SITE.lon)
            self.east = self.territory(db, SITE.lon + 0.5)
            set_territories(db, made.tenant_id, made.dispatchers["Dora"], [self.west])
        self.mine = town.create(new_ticket("survey"))["ticket_id"]
        self.theirs = town.create(new_ticket("ac_repair", site=EAST))["ticket_id"]
        town.product.client.post(f"/dispatcher/v1/tickets/{self.theirs}/match", headers=town.board("Ada"))
        self.nobodys = town.create(new_ticket("survey", site=None))["ticket_id"]

    def territory(self, db: Any, lon: float) -> Any:
        around = MultiPolygon([box(lon - 0.1, SITE.lat - 0.1, lon + 0.1, SITE.lat + 0.1)])
        names = {"zh": "区域", "en": "Territory"}
        return add_territory(db, self.town.made.tenant_id, names, "Asia/Shanghai", around)

    def get(self, path: str, who: str = "Dora") -> Any:
        return self.town.product.client.get(f"/dispatcher/v1{path}", headers=self.town.board(who))


@pytest.fixture
def two(town: Town) -> TwoTerritories:
    return TwoTerritories(town)


def ids(reply: Any) -> set[str]:
    return {line["ticket_id"] for line in ok(reply)["tickets"]}


def test_lists_show_the_own_territory_and_what_has_none(two: TwoTerritories) -> None:
    for path in ("/board", "/tickets", "/tickets?q=not cooling", "/tickets?q=13900001234"):
        assert ids(two.get(path)) == {two.mine, two.nobodys}, path
        assert ids(two.get(path, "Ada")) == {two.mine, two.theirs, two.nobodys}, path
    counted = sum(line["count"] for line in ok(two.get("/board"))["counts"])
    assert counted == 2


def test_no_door_leads_to_a_ticket_elsewhere(two: TwoTerritories) -> None:
    """Every operation on one ticket, those added later too."""
    app = two.town.product.app.openapi()["paths"]
    tried = 0
    for path, item in app.items():
        for method, operation in item.items():
            name = operation["operationId"]
            if not name.startswith("dispatcher_") or "{ticket_id}" not in path or path.count("{") > 1:
                continue
            if Role.DISPATCHER not in POLICY[name]:
                continue
            body = {"command_id": str(new_id()), "action": "note", "facts": {"text": "x"}}
            send = {"json": body} if name in REQUESTS and name == "dispatcher_action" else {}
            url = path.replace("{ticket_id}", two.theirs)
            reply = two.town.product.client.request(method, url, headers=two.town.board(), **send)
            refused(reply, 404, "ticket_unknown")
            tried += 1
    assert tried >= 5
    assert ok(two.get(f"/tickets/{two.theirs}/receipts", "Ada"))["receipts"]
    refused(two.get(f"/tickets/{two.theirs}"), 404, "ticket_unknown")
    ok(two.get(f"/tickets/{two.mine}"))


def test_a_photo_elsewhere_is_not_found(two: TwoTerritories) -> None:
    client, photo = two.town.product.client, new_id()
    url = f"/dispatcher/v1/photos/{photo}"
    kept = client.put(
        f"{url}?ticket_id={two.theirs}&kind=intake", content=picture(1), headers=two.town.board("Ada")
    )
    assert kept.status_code == 201
    assert two.get(f"/photos/{photo}", "Ada").status_code == 200
    assert two.get(f"/photos/{photo}").status_code == 404
    stray = f"/dispatcher/v1/photos/{new_id()}?ticket_id={two.theirs}&kind=intake"
    assert client.put(stray, content=picture(2), headers=two.town.board()).status_code == 404


def test_a_ticket_for_another_territory_is_not_hers_to_create(two: TwoTerritories) -> None:
    client, headers = two.town.product.client, two.town.board()
    url = "/dispatcher/v1/tickets"
    refused(
        client.post(url, json=new_ticket("survey", site=EAST), headers=headers), 403, "territory_not_yours"
    )
    assert client.post(url, json=new_ticket("survey"), headers=headers).status_code == 201


def test_engineers_of_other_territories_are_not_on_her_board(two: TwoTerritories) -> None:
    made = two.town.made
    two.town.product.rows(
        "update engineers set territory_id = %(east)s where id = %(ben)s returning id",
        made.tenant_id,
        east=two.east,
        ben=made.engineers["Ben"],
    )
    assert {e["name"] for e in ok(two.get("/board"))["engineers"]} == {"Ana", "Eve"}
    assert {e["name"] for e in ok(two.get("/board", "Ada"))["engineers"]} == {"Ana", "Ben", "Eve"}


def test_no_door_leads_to_an_engineer_of_another_territory(two: TwoTerritories) -> None:
    """Every operation on one engineer, those added later too: hours, devices, absence, stock of the van."""
    made, tried = two.town.made, 0
    two.town.product.rows(
        "update engineers set territory_id = %(east)s where id = %(ben)s returning id",
        made.tenant_id,
        east=two.east,
        ben=made.engineers["Ben"],
    )
    for path, item in two.town.product.app.openapi()["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            if not name.startswith("dispatcher_") or Role.DISPATCHER not in POLICY[name]:
                continue
            asked = {each["name"]: each["in"] for each in operation.get("parameters", [])}
            if "engineer_id" not in asked:
                continue
            url = path.replace("{ticket_id}", two.mine).replace("{engineer_id}", str(made.engineers["Ben"]))
            url = re.sub(r"{\w+}", str(new_id()), url)
            query = {"engineer_id": str(made.engineers["Ben"])} if asked["engineer_id"] == "query" else {}
            reply = two.town.product.client.request(method, url, params=query, headers=two.town.board())
            refused(reply, 404, "engineer_unknown")
            tried += 1
    assert tried >= 6
    ok(two.get(f"/shifts?engineer_id={made.engineers['Ben']}", "Ada"))


def test_her_scope_does_not_cling_to_the_next_request(two: TwoTerritories) -> None:
    for _ in range(30):
        assert len(ids(two.get("/tickets"))) == 2
        assert len(ids(two.get("/tickets", "Ada"))) == 3


def test_without_the_policy_she_would_see_everything(two: TwoTerritories, database: Database) -> None:
    """Sabotage: the policy is gone, the endpoints are the same."""
    with psycopg.connect(database.superuser_url, autocommit=True) as db:
        (using,) = db.execute(
            "select qual from pg_policies where tablename = 'tickets' and policyname = 'scope'"
        ).fetchone() or ("",)
        db.execute("drop policy scope on tickets")
        try:
            assert two.theirs in ids(two.get("/tickets"))
        finally:
            db.execute(
                f"create policy scope on tickets as restrictive for select to paidan_app using ({using})"
            )
