"""A person's data is handed out or erased; the chain of events verifies before and after."""

from typing import Any
from uuid import UUID

from dispatch.actions.audit import verify
from dispatch.adapters.storage import large_of
from dispatch.domain.reasons import REASONS
from dispatch.store.ids import new_id
from tests.builders import new_ticket, picture
from tests.house import Product, Town, ok, refused

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


def with_photos(town: Town) -> tuple[str, dict[str, str]]:
    """A closed ticket of Chen's with a photo of theirs, one of arriving, one of the work and a signature."""
    made = town.create(new_ticket("ac_direct", contact_phone=PHONE))
    ticket_id = made["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    client, photos = town.product.client, {"intake": str(new_id()), "signature": str(new_id())}
    for number, (kind, photo_id) in enumerate(photos.items()):
        headers = {"Authorization": f"Bearer {made['customer_link'].rsplit('/', 1)[1]}"}
        url = f"/customer/v1/photos/{photo_id}?kind={kind}"
        assert client.put(url, content=picture(40 + number), headers=headers).status_code == 201
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    ok(town.answer(made["customer_link"], "sign_off", photo_ids=[photos["signature"]], rating=5))
    for line in town.view(ticket_id)["evidence"]:
        photos[line["photo"]["kind"]] = line["photo"]["photo_id"]
    return ticket_id, photos


def hashes(town: Town, photos: dict[str, str]) -> dict[str, str]:
    rows = town.product.rows(
        "select kind, sha256 from evidence where id = any(%(ids)s::uuid[])", ids=list(photos.values())
    )
    return {row["kind"]: bytes(row["sha256"]).hex() for row in rows}


def there(town: Town, found: dict[str, str]) -> set[str]:
    """Kinds of which any bytes are left."""
    blobs, tenant_id = town.product.app.state.rooms.blobs, town.made.tenant_id
    return {kind for kind, sha in found.items() if blobs.variants(tenant_id, sha)}


def test_a_customers_photos_go_with_them_and_the_chain_verifies(town: Town) -> None:
    ticket_id, photos = with_photos(town)
    found = hashes(town, photos)
    assert there(town, found) == {"intake", "check_in", "completion", "signature"}
    assert ask(town, "POST", f"/tickets/{ticket_id}/erase_customer").status_code == 204
    assert there(town, found) == set()
    assert town.view(ticket_id)["evidence"] == []
    for photo_id in photos.values():
        reply = town.product.client.get(f"/dispatcher/v1/photos/{photo_id}", headers=town.board())
        refused(reply, 404, "photo_unknown")
    assert whole(town) == []


def test_a_company_may_keep_the_photos_of_its_work(product: Product) -> None:
    town = product.company({"keep_work_photos": 1})
    ticket_id, photos = with_photos(town)
    found = hashes(town, photos)
    assert ask(town, "POST", f"/tickets/{ticket_id}/erase_customer").status_code == 204
    assert there(town, found) == {"check_in", "completion"}


def test_a_picture_somebody_else_brought_too_stays(town: Town) -> None:
    """The same bytes under another customer's ticket: counted, not owned."""
    ticket_id, photos = with_photos(town)
    found = hashes(town, photos)
    other = town.create(new_ticket("survey", contact_phone="13511112222"))
    headers = {"Authorization": f"Bearer {other['customer_link'].rsplit('/', 1)[1]}"}
    client, url = town.product.client, f"/customer/v1/photos/{new_id()}?kind=intake"
    shown = f"/dispatcher/v1/photos/{photos['intake']}?size=large"
    stamped = client.get(shown, headers=town.board()).content
    assert client.put(url, content=picture(40), headers=headers).status_code == 201
    assert client.get(shown, headers=town.board()).content == stamped, "another ticket's stamp"
    blobs, tenant_id = town.product.app.state.rooms.blobs, town.made.tenant_id
    theirs, others = large_of(UUID(ticket_id)), large_of(UUID(other["ticket_id"]))
    assert {theirs, others} < set(blobs.variants(tenant_id, found["intake"]))
    assert ask(town, "POST", f"/tickets/{ticket_id}/erase_customer").status_code == 204
    assert there(town, found) == {"intake"}
    left = blobs.variants(tenant_id, found["intake"])
    assert others in left
    assert theirs not in left, "its stamp names the erased customer's address"


def test_without_counting_anothers_picture_would_be_lost(town: Town, monkeypatch: Any) -> None:
    """Sabotage: what nobody counted is collected although a row refers to it."""
    ticket_id, photos = with_photos(town)
    found = hashes(town, photos)
    unguarded = "select sha256 from blobs where tenant_id = %(tenant)s limit %(limit)s"
    monkeypatch.setattr("dispatch.actions.identity_erasure._UNREFERRED", unguarded)
    cancelled_id, _ = cancelled_of(town, "13522223333")
    assert ask(town, "POST", f"/tickets/{cancelled_id}/erase_customer").status_code == 204
    assert there(town, found) == set()
    assert town.view(ticket_id)["evidence"]


def cancelled_of(town: Town, phone: str) -> tuple[str, str]:
    made = town.create(new_ticket("survey", contact_phone=phone))
    ok(town.direct(made["ticket_id"], "cancel", "Ada", reason=reason()))
    return made["ticket_id"], made["customer_link"]
