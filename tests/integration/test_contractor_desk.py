"""A contractor's dispatcher has a board of the contractor's own engineers and jobs, by every door; row-level security
sees to it. And dispatchers bound to territories hear and list what is theirs."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from shapely import MultiPolygon, box

from api.live import Listener, LiveHub
from dispatch.actions.identity_admin import set_territories
from dispatch.actions.tenants import add_contractor, add_dispatcher, add_territory
from dispatch.domain.commands import Principal, Role
from dispatch.domain.policy import POLICY
from dispatch.store.ids import new_id
from dispatch.store.queries import contractors
from tests.builders import PASSWORD_HASH, SITE, add_engineer, new_ticket, picture
from tests.databases import Database
from tests.house import Town, ok, refused

EAST = {"lon": SITE.lon + 0.5, "lat": SITE.lat, "datum": "wgs84"}


class TwoContractors:
    """Cora directs contractor K with Kim; Lou contractor L. A ticket asked of K, one of L, one in Kim's hands given
    by Dora, one of Ana's, and one K declined."""

    def __init__(self, town: Town) -> None:
        self.town, made = town, town.made
        self.names: dict[str, UUID] = {}
        with made.house.database.transaction(made.tenant_id) as db:
            for name, dispatcher in (("K", "Cora"), ("L", "Lou")):
                contractor = add_contractor(db, made.tenant_id, {"zh": name, "en": name})
                self.names[name] = contractor
                made.dispatchers[dispatcher] = add_dispatcher(
                    db,
                    made.tenant_id,
                    dispatcher,
                    made.signin_id(dispatcher),
                    PASSWORD_HASH,
                    "contractor",
                    "en",
                    contractor,
                )
            made.engineers["Kim"] = add_engineer(
                made, db, "Kim", {"hvac": 2, "plumbing": 1}, 900, made.house.now()
            )
        town.product.rows(
            "update engineers set contractor_id = %(k)s where id = %(kim)s returning id",
            k=self.names["K"],
            kim=made.engineers["Kim"],
        )
        self.asked = self.offered_to("K")
        self.other = self.offered_to("L")
        self.kims = self.create()
        town.assign_by_hand(self.kims, "Kim")
        self.anas = self.create()
        town.assign_by_hand(self.anas, "Ana")
        self.declined = self.offered_to("K")
        ok(town.direct(self.declined, "decline_offer", "Cora", reason="busy"))

    def create(self) -> str:
        return str(self.town.create(new_ticket("survey"))["ticket_id"])

    def offered_to(self, name: str) -> str:
        ticket_id = self.create()
        ok(self.town.direct(ticket_id, "offer", engineer_ids=[str(self.names[name])]))
        return ticket_id

    def get(self, path: str, who: str = "Cora") -> Any:
        return self.town.product.client.get(f"/dispatcher/v1{path}", headers=self.town.board(who))


@pytest.fixture
def two(town: Town) -> TwoContractors:
    return TwoContractors(town)


def ids(reply: Any) -> set[str]:
    return {line["ticket_id"] for line in ok(reply)["tickets"]}


def test_the_board_has_the_contractors_own_engineers_and_jobs(two: TwoContractors) -> None:
    for path in ("/board", "/tickets", "/tickets?q=not cooling", "/tickets?q=13900001234"):
        assert ids(two.get(path)) == {two.asked, two.kims}, path
        assert ids(two.get(path, "Lou")) == {two.other}, path
        assert len(ids(two.get(path, "Dora"))) == 5, path
    board = ok(two.get("/board"))
    assert [e["name"] for e in board["engineers"]] == ["Kim"]
    assert sum(line["count"] for line in board["counts"]) == 2
    actions = {line["ticket_id"]: line["allowed_actions"] for line in board["tickets"]}
    assert {"accept_offer", "decline_offer"} <= set(actions[two.asked])
    assert "sign_off" not in str(actions)
    ok(two.get("/catalogue"))


def test_a_job_taken_and_named_stays_on_the_board(two: TwoContractors) -> None:
    ok(two.town.direct(two.asked, "accept_offer", "Cora", engineer_id=str(two.town.made.engineers["Kim"])))
    view = ok(two.get(f"/tickets/{two.asked}"))
    assert (view["ticket"]["status"], view["ticket"]["engineer_name"]) == ("assigned", "Kim")
    assert view["contact"]["phone"] == "13900001234"
    assert view["customer_link"] is None
    two.town.assign_by_hand(two.asked, "Ana")
    refused(two.get(f"/tickets/{two.asked}"), 404, "ticket_unknown")


def test_a_long_desk_goes_on_with_its_next_page(two: TwoContractors, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be answered first, then what was taken and lacks a name, then the rest."""
    unnamed, named, later = two.asked, two.offered_to("K"), two.offered_to("K")
    ok(two.town.direct(unnamed, "accept_offer", "Cora"))
    ok(two.town.direct(named, "accept_offer", "Cora", engineer_id=str(two.town.made.engineers["Kim"])))
    monkeypatch.setattr(contractors, "PAGE", 1)
    seen, page = [], ""
    while page is not None:
        found = ok(two.get(f"/contractor{page and '?page=' + page}"))
        seen += [line["ticket_id"] for line in found["tickets"]]
        page = found["next_page"]
    assert seen == [later, unnamed, named]
    refused(two.get("/contractor?page=1.0.x"), 422, "request_invalid")


def test_what_others_were_offered_is_not_shown(two: TwoContractors) -> None:
    ticket_id = two.create()
    both = [str(two.names["K"]), str(two.names["L"])]
    for contractor in both:
        ok(two.town.direct(ticket_id, "offer", engineer_ids=[contractor]))
    shown = ok(two.get(f"/tickets/{ticket_id}"))["offers"]
    assert {offer["contractor_id"] for offer in shown} == {both[0]}


def test_no_door_leads_to_somebody_elses_job(two: TwoContractors) -> None:
    """Every operation on one ticket a contractor may call, those added later too."""
    tried = 0
    for path, item in two.town.product.app.openapi()["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            if "{ticket_id}" not in path or Role.CONTRACTOR not in POLICY[name]:
                continue
            for ticket_id in (two.other, two.anas, two.declined if method == "get" else two.other):
                body = {"command_id": str(new_id()), "action": "accept_offer", "facts": {}}
                send = {"json": body} if method == "post" else {}
                url = path.replace("{ticket_id}", ticket_id)
                reply = two.town.product.client.request(method, url, headers=two.town.board("Cora"), **send)
                refused(reply, 404, "ticket_unknown")
                tried += 1
    assert tried >= 9


def test_a_photo_of_somebody_elses_job_is_not_found(two: TwoContractors) -> None:
    client = two.town.product.client
    found = {}
    for ticket_id in (two.anas, two.kims):
        found[ticket_id] = new_id()
        url = f"/dispatcher/v1/photos/{found[ticket_id]}?ticket_id={ticket_id}&kind=intake"
        kept = client.put(url, content=picture(len(found)), headers=two.town.board())
        assert kept.status_code == 201, kept.text
    assert two.get(f"/photos/{found[two.anas]}").status_code == 404
    assert two.get(f"/photos/{found[two.kims]}").status_code == 200


def test_without_the_policies_a_contractor_would_see_everybody(
    two: TwoContractors, database: Database
) -> None:
    """Sabotage: the policies are gone, the endpoints are the same."""
    with psycopg.connect(database.superuser_url, autocommit=True) as db:
        kept = db.execute("select tablename, qual from pg_policies where policyname = 'scope'").fetchall()
        using = {table: qual for table, qual in kept if table in ("tickets", "engineers")}
        for table in using:
            db.execute(f"drop policy scope on {table}")
        try:
            assert two.anas in ids(two.get("/tickets"))
            assert "Ana" in {e["name"] for e in ok(two.get("/board"))["engineers"]}
        finally:
            for table, qual in using.items():
                db.execute(
                    f"create policy scope on {table} as restrictive for select to paidan_app using ({qual})"
                )
    assert set(using) == {"tickets", "engineers"}


def heard(two: TwoContractors, listening: list[Principal], ticket_id: str | None) -> list[bool]:
    """Who of these hears of an event of the ticket."""

    async def hand_out() -> list[bool]:
        hub = LiveHub(two.town.product.database.app_url)
        tenant_id = two.town.made.tenant_id
        ears = [Listener(principal) for principal in listening]
        hub._listeners[tenant_id] = set(ears)
        await hub._hand_out({"t": str(tenant_id), "s": 1, "k": ticket_id, "a": "note"})
        await (await hub._reader()).close()
        return [not ear.queue.empty() for ear in ears]

    return asyncio.run(hand_out())


def test_live_events_reach_whom_they_concern(two: TwoContractors) -> None:
    made, town = two.town.made, two.town
    with made.house.database.transaction(made.tenant_id) as db:
        around = MultiPolygon([box(SITE.lon + 0.4, SITE.lat - 0.1, SITE.lon + 0.6, SITE.lat + 0.1)])
        east = add_territory(db, made.tenant_id, {"zh": "东", "en": "East"}, "Asia/Shanghai", around)
    there = str(town.create(new_ticket("survey", site=EAST))["ticket_id"])

    def board(role: Role, **more: Any) -> Principal:
        return Principal(made.tenant_id, role, new_id(), **more)

    ears = [
        board(Role.DISPATCHER),
        board(Role.DISPATCHER, territories=frozenset({east})),
        board(Role.DISPATCHER, territories=frozenset({new_id()})),
        board(Role.CONTRACTOR, contractor_id=two.names["K"]),
        board(Role.CONTRACTOR, contractor_id=two.names["L"]),
    ]
    assert heard(two, ears, there) == [True, True, False, False, False]
    assert heard(two, ears, two.asked) == [True, True, True, True, False]
    assert heard(two, ears, two.kims) == [True, True, True, True, False]
    assert heard(two, ears, two.declined) == [True, True, True, True, False]
    assert heard(two, ears, None) == [True, True, True, False, False]


def test_lists_beside_the_tickets_keep_to_the_territory_too(two: TwoContractors) -> None:
    """Messages, reports of bulk actions and engineers' requests; and an engineer elsewhere is not found."""
    town, made = two.town, two.town.made
    with made.house.database.transaction(made.tenant_id) as db:
        around = MultiPolygon([box(SITE.lon - 0.1, SITE.lat - 0.1, SITE.lon + 0.1, SITE.lat + 0.1)])
        west = add_territory(db, made.tenant_id, {"zh": "西", "en": "West"}, "Asia/Shanghai", around)
        east = add_territory(db, made.tenant_id, {"zh": "东", "en": "East"}, "Asia/Shanghai")
        set_territories(db, made.tenant_id, made.dispatchers["Dora"], [east])
    town.product.app.state.doorkeeper.forget(None)
    town.product.rows(
        "update engineers set territory_id = %(west)s where id = %(ana)s returning id",
        west=west,
        ana=made.engineers["Ana"],
    )
    mine = str(town.create(new_ticket("survey"))["ticket_id"])
    body = {"command_id": str(new_id()), "ticket_ids": [mine], "later_min": 60}
    ok(town.product.client.post("/dispatcher/v1/bulk/rebook", json=body, headers=town.board("Ada")))
    asked = {"command_id": str(new_id()), "kind": "overtime", "minutes": 30}
    asked["day"] = town.product.clock.now().date().isoformat()
    request = ok(town.product.client.post("/engineer/v1/requests", json=asked, headers=town.phone("Ana")))
    for path, name in (("/bulk", "reports"), ("/requests", "requests")):
        assert ok(two.get(path, "Dora"))[name] == [], path
        assert len(ok(two.get(path, "Ada"))[name]) == 1, path
    town.settle()
    shown = {line["ticket_id"] for line in ok(two.get("/messages", "Dora"))["messages"]}
    assert mine not in shown
    assert None not in shown
    url = f"/dispatcher/v1/requests/{request['request_id']}/answer"
    answer = {"command_id": str(new_id()), "verdict": "refuse"}
    reply = town.product.client.post(url, json=answer, headers=town.board("Dora"))
    refused(reply, 404, "request_unknown")
    devices = f"/admin/engineers/{made.engineers['Ana']}/devices"
    refused(two.get(devices, "Dora"), 404, "engineer_unknown")
    ok(two.get(devices, "Ada"))
