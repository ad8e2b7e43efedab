"""A company in the middle of its day, for pages that show what companies have: lists, money, proof, a contractor."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from dispatch.actions.tenants import add_contractor, add_dispatcher
from dispatch.store.ids import new_id
from tests.builders import PASSWORD_HASH, add_engineer, new_ticket
from tests.depots import line, load, stocked_depot
from tests.house import Product, Town, ok

CHECKLIST: list[dict[str, Any]] = [
    {"item": "leaks", "kind": "yes_no", "label": {"zh": "有无漏水", "en": "Does it leak"}, "required": True},
    {
        "item": "bar", "kind": "number", "label": {"zh": "压力", "en": "Pressure"}, "required": True, "unit": "bar",
        "least": 0, "most": 6, "show_when": {"item": "leaks", "is": [True]},
    },
    {
        "item": "filter", "kind": "choice", "label": {"zh": "滤网", "en": "Filter"},
        "choices": [
            {"code": "clean", "label": {"zh": "已清洗", "en": "Cleaned"}},
            {"code": "new", "label": {"zh": "已更换", "en": "Replaced"}},
        ],
    },
]  # fmt: skip
QUOTE = [
    {"kind": "call_out", "text": "1", "quantity": "1", "unit_price_minor": 5_000},
    {"kind": "labour", "text": "2", "quantity": "1.5", "unit_price_minor": 12_000},
]


def put(town: Town, path: str, body: dict[str, Any]) -> None:
    reply = town.product.client.put(f"/dispatcher/v1/{path}", json=body, headers=town.board("Ada"))
    assert reply.status_code in (200, 204), reply.text


def give_lists(town: Town) -> None:
    """Checklist, parts, prices, rates, a loaded van, a contract and somebody on duty."""
    put(town, "work_types/survey/checklist", {"items": CHECKLIST})
    valve = {"code": "valve", "name": {"zh": "电磁阀", "en": "Valve"}, "unit": "pc", "returned": True}
    put(town, "parts", {"lines": [{**valve, "price_minor": 8_800}]})
    visit = {"name": {"zh": "上门费", "en": "Visit"}, "kind": "call_out"}
    put(town, "prices/visit", {**visit, "unit_price_minor": 5_000})
    rate = {"fixed_minor": 3_000, "share_bp": 1_250}
    put(town, "rates/survey/engineer", rate)
    load(town, stocked_depot(town, line("valve", 9)), "Ana", line("valve", 3))
    now = town.product.clock.now()
    until = (now + timedelta(days=2)).isoformat()
    put(
        town,
        f"contracts/{new_id()}",
        {"customer_phone": "13900001234", "number": "C-17", "starts_at": now.isoformat()},
    )
    duty = {
        "dispatcher_id": str(town.made.dispatchers["Ada"]),
        "starts_at": now.isoformat(),
        "ends_at": until,
    }
    put(town, f"duties/{new_id()}", duty)


def finished_ticket(town: Town) -> str:
    """A machine repaired: quoted, approved, checklist answered, a part used, paid, accepted; a discount asked for."""
    board, client = town.board(), town.product.client
    made = town.create(new_ticket("survey"))
    ticket_id = str(made["ticket_id"])
    machine = {"kind": "ac", "serial": "SN-1", "name": {"zh": "柜机", "en": "Unit"}}
    asset = ok(client.post("/dispatcher/v1/assets", json=machine, headers=board))["asset_id"]
    put(town, f"tickets/{ticket_id}/machines", {"asset_ids": [asset]})
    town.assign_by_hand(ticket_id, "Ana")
    town.arrive("Ana", ticket_id)
    discount = {"command_id": str(new_id()), "kind": "discount", "ticket_id": ticket_id, "percent": 10}
    ok(client.post("/engineer/v1/requests", json=discount, headers=town.phone("Ana")))
    ok(town.act("Ana", ticket_id, "quote", currency="CNY", quote_lines=QUOTE))
    ok(town.answer(made["customer_link"], "approve_quote"))
    answers = [
        {"item": "leaks", "value": True},
        {"item": "bar", "value": 2.5},
        {"item": "filter", "value": "new"},
    ]
    done = {"asset_id": asset, "outcome": "fixed", "checklist": answers}
    photo = town.photo("Ana", ticket_id, "completion")
    used = [{"part": "valve", "quantity": "1", "old_returned": back} for back in (True, False)]
    ok(
        town.act(
            "Ana", ticket_id, "complete", outcome="fixed", photo_ids=[photo], machines=[done], parts_used=used,
            checklist=answers,
        )
    )  # fmt: skip
    ok(town.direct(ticket_id, "pay", method="wechat", amount_minor=10_000))
    ok(town.answer(made["customer_link"], "sign_off", rating=5))
    return ticket_id


def give_contractor(town: Town) -> tuple[str, str]:
    """A contractor with Cora at its desk and Lee to send: one ticket asked, one taken without a name."""
    made = town.made
    with made.house.database.transaction(made.tenant_id) as db:
        contractor_id: UUID = add_contractor(db, made.tenant_id, {"zh": "服务商", "en": "Contractor"})
        add_dispatcher(
            db,
            made.tenant_id,
            "Cora",
            made.signin_id("Cora"),
            PASSWORD_HASH,
            "contractor",
            "en",
            contractor_id,
        )
        lee = add_engineer(made, db, "Lee", {"hvac": 2}, 100, made.house.now())
    town.product.rows(
        "update engineers set contractor_id = %(c)s where id = %(e)s returning id", c=contractor_id, e=lee
    )
    tickets = []
    for _ in range(2):
        ticket_id = str(town.create(new_ticket("survey"))["ticket_id"])
        ok(town.direct(ticket_id, "offer", engineer_ids=[str(contractor_id)]))
        tickets.append(ticket_id)
    asked, taken = tickets
    offer_id = town.view(taken)["offers"][0]["offer_id"]
    ok(town.direct(taken, "accept_offer", "Cora", offer_id=offer_id))
    return asked, taken


def give_trouble(town: Town) -> None:
    """A job given up, and a phone whose readings fit another datum."""
    town.product.rows(
        "insert into procrastinate_jobs (queue_name, task_name, args, status, attempts) values ('work', 'tell',"
        " jsonb_build_object('tenant', %(tenant)s::text), 'failed', 6) returning id",
        town.made.tenant_id,
    )


def busy_company(product: Product) -> tuple[Town, dict[str, str]]:
    """The company and its tickets by name: `finished`, `asked` and `taken` by the contractor."""
    town = product.company()
    finished_first = town.create(new_ticket("survey"))["ticket_id"]
    give_lists(town)
    finished = finished_ticket(town)
    asked, taken = give_contractor(town)
    give_trouble(town)
    return town, {"open": str(finished_first), "finished": finished, "asked": asked, "taken": taken}
