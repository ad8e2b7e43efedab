"""A person's data is handed out or erased; the chain of events verifies before and after."""

from typing import Any

from dispatch.actions.audit import verify
from dispatch.domain.reasons import REASONS
from tests.builders import new_ticket
from tests.house import Town, ok, refused

PHONE = "13655554444"


def ask(town: Town, method: str, path: str) -> Any:
    return town.product.client.request(method, f"/dispatcher/v1/admin{path}", headers=town.board("Ada"))


def cancelled(town: Town) -> tuple[str, str]:
    made = town.create(new_ticket("survey", contact_phone=PHONE, contact_name="Chen Example"))
    assert town.direct(made["ticket_id"], "note", "Ada", text="Chen Example is deaf").status_code == 200
    reply = town.direct(made["ticket_id"], "cancel", "Ada", reason=reason())
    assert reply.status_code == 200, reply.text
    return made["ticket_id"], made["customer_link"]


def reason() -> str:
    return str(REASONS["cancel"][0])


def whole(town: Town) -> list[str]:
    return verify(town.product.house.database, town.made.tenant_id).breaks


def test_a_customer_is_forgotten_everywhere_and_the_chain_verifies(town: Town) -> None:
    ticket_id, link = cancelled(town)
    exported = ok(ask(town, "GET", f"/tickets/{ticket_id}/customer"))
    assert exported["tickets"][0]["contact_phone"] == PHONE
    assert "Chen Example is deaf" in [line["text"] for line in exported["words"]]
    assert whole(town) == []
    assert ask(town, "POST", f"/tickets/{ticket_id}/erase_customer").status_code == 204
    assert whole(town) == []
    view = town.view(ticket_id)
    for word in (PHONE, "Chen Example", "示例路", "3-201"):
        assert word not in str(view), word
    found = town.product.client.get(f"/dispatcher/v1/tickets?q={PHONE}", headers=town.board("Ada"))
    assert ok(found)["tickets"] == []
    headers = {"Authorization": f"Bearer {link.rsplit('/', 1)[1]}"}
    assert town.product.client.get("/customer/v1/ticket", headers=headers).status_code == 401
    refused(ask(town, "POST", f"/tickets/{ticket_id}/erase_customer"), 404, "customer_unknown")


def test_a_customer_with_a_ticket_under_way_stays(town: Town) -> None:
    ticket_id, _ = cancelled(town)
    town.create(new_ticket("survey", contact_phone=PHONE))
    refused(ask(town, "POST", f"/tickets/{ticket_id}/erase_customer"), 409, "tickets_under_way")


def test_an_engineer_who_left_is_forgotten_and_cannot_come_back(town: Town) -> None:
    engineer_id = town.made.engineers["Ana"]
    body = {"positions": [town.at_site()]}
    ok(town.product.client.post("/engineer/v1/positions", json=body, headers=town.phone("Ana")))
    assert ask(town, "POST", f"/engineers/{engineer_id}/erase").status_code == 204
    rows = town.product.rows(
        "select name, phone_enc, position, active, (select count(*) from engineer_positions p "
        "where p.engineer_id = e.id) as kept from engineers e where id = %(id)s",
        id=engineer_id,
    )
    (row,) = rows
    assert ("Ana" in row["name"], row["phone_enc"], row["position"], row["active"], row["kept"]) == (
        False,
        None,
        None,
        False,
        0,
    )
    signin = {"signin_id": town.made.signin_id("Ana"), "password": "a long enough password"}
    refused(town.product.client.post("/engineer/v1/signin", json=signin), 401, "signin_refused")
    assert whole(town) == []


def test_an_engineer_with_work_stays(town: Town) -> None:
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    refused(ask(town, "POST", f"/engineers/{town.made.engineers[name]}/erase"), 409, "engineer_has_work")
