"""An admin's people and keys: added, changed, shut out; everybody else is refused by the matrix."""

from datetime import timedelta
from typing import Any

import pytest

from dispatch.actions import identity_admin, tenants
from dispatch.domain.errors import Conflict
from dispatch.store.ids import new_id
from tests.builders import PASSWORD, new_ticket
from tests.house import Town, ok, refused


def ask(town: Town, method: str, path: str, body: Any = None, who: str = "Ada") -> Any:
    url = f"/dispatcher/v1/admin{path}"
    return town.product.client.request(method, url, json=body, headers=town.board(who))


def added(town: Town, **more: Any) -> dict[str, Any]:
    return {
        "name": "Finn",
        "signin_id": f"finn-{town.made.slug}",
        "password": "finns first password",
        "phone": "13700001111",
        "skills": {"hvac": 2},
        **more,
    }


def forget(town: Town) -> None:
    """The doorkeeper's memory of half a minute."""
    town.product.app.state.doorkeeper.forget(None)


def test_an_engineer_added_here_signs_in_agrees_and_is_found(town: Town) -> None:
    engineer_id = ok(ask(town, "POST", "/engineers", added(town)))["id"]
    line = next(e for e in ok(ask(town, "GET", "/engineers"))["engineers"] if e["engineer_id"] == engineer_id)
    assert (line["skills"], line["has_phone"], line["consents"]) == ({"hvac": 2}, True, False)
    body = {"signin_id": added(town)["signin_id"], "password": added(town)["password"]}
    ok(town.product.client.post("/engineer/v1/signin", json=body))


def test_a_name_is_taken_once_and_unknown_skills_are_named(town: Town) -> None:
    ok(ask(town, "POST", "/engineers", added(town)))
    refused(ask(town, "POST", "/engineers", added(town)), 409, "signin_taken")
    wrong = added(town, signin_id=f"gus-{town.made.slug}", skills={"magic": 1})
    assert refused(ask(town, "POST", "/engineers", wrong), 422, "skill_unknown") == {"skill": "magic"}


def test_shifts_make_an_engineer_eligible(town: Town) -> None:
    engineer_id = ok(ask(town, "POST", "/engineers", added(town)))["id"]
    now = town.product.clock.now()
    span = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=8)).isoformat()}
    url, headers = f"/dispatcher/v1/engineers/{engineer_id}/shifts", town.board("Ada")
    kept = town.product.client.post(url, json={"spans": [span]}, headers=headers)
    assert kept.status_code == 204
    backwards = {"starts_at": span["ends_at"], "ends_at": span["starts_at"]}
    reply = town.product.client.post(url, json={"spans": [backwards]}, headers=headers)
    refused(reply, 422, "shift_span_wrong")


def test_a_new_password_signs_every_device_out(town: Town) -> None:
    phone = town.phone("Ana")
    path = f"/engineers/{town.made.engineers['Ana']}/password"
    assert ask(town, "PUT", path, {"password": "anas second password"}).status_code == 204
    forget(town)
    refused(town.product.client.get("/engineer/v1/today", headers=phone), 401, "signin_ended")
    body = {"signin_id": town.made.signin_id("Ana"), "password": PASSWORD}
    refused(town.product.client.post("/engineer/v1/signin", json=body), 401, "signin_refused")


def test_who_is_not_active_is_out_and_comes_in_again_when_allowed(town: Town) -> None:
    phone = town.phone("Ana")
    path = f"/engineers/{town.made.engineers['Ana']}/active"
    assert ask(town, "PUT", path, {"active": False}).status_code == 204
    forget(town)
    refused(town.product.client.get("/engineer/v1/today", headers=phone), 401, "signin_ended")
    body = {"signin_id": town.made.signin_id("Ana"), "password": PASSWORD}
    refused(town.product.client.post("/engineer/v1/signin", json=body), 401, "signin_refused")
    ask(town, "PUT", path, {"active": True})
    ok(town.product.client.post("/engineer/v1/signin", json=body))


def test_an_admin_does_not_shut_the_door_from_inside(town: Town) -> None:
    path = f"/dispatchers/{town.made.dispatchers['Ada']}/active"
    refused(ask(town, "PUT", path, {"active": False}), 403, "not_yourself")


def test_a_key_is_shown_once_does_what_its_scopes_say_and_ends_when_revoked(town: Town) -> None:
    key = ok(ask(town, "POST", "/keys", {"name": "shop", "scopes": ["tickets:create"]}))["key"]
    everything = ask(town, "GET", "/keys").text
    assert key not in everything
    assert key[:12] in everything
    headers = {"Authorization": f"Bearer {key}"}
    made = town.product.client.post("/api/v1/tickets", json=new_ticket(), headers=headers)
    assert made.status_code == 201
    read = town.product.client.get(f"/api/v1/tickets/{made.json()['ticket_id']}", headers=headers)
    refused(read, 403, "scope_missing")
    (line,) = [k for k in ok(ask(town, "GET", "/keys"))["keys"] if k["name"] == "shop"]
    assert ask(town, "POST", f"/keys/{line['key_id']}/revoke").status_code == 204
    forget(town)
    reply = town.product.client.post("/api/v1/tickets", json=new_ticket(), headers=headers)
    assert reply.status_code == 401


def test_a_key_ends_on_its_day(town: Town) -> None:
    doors = town.product.app.state.doorkeeper
    ends = (doors.wall() + timedelta(days=1)).isoformat()
    body = {"name": "short", "scopes": ["tickets:create"], "expires_at": ends}
    key = ok(ask(town, "POST", "/keys", body))["key"]
    headers = {"Authorization": f"Bearer {key}"}
    real = doors.wall
    doors.wall = lambda: real() + timedelta(days=2)
    try:
        reply = town.product.client.post("/api/v1/tickets", json=new_ticket(), headers=headers)
    finally:
        doors.wall = real
    refused(reply, 401, "key_ended")


def test_the_database_holds_no_key(town: Town) -> None:
    key = ok(ask(town, "POST", "/keys", {"name": "shop", "scopes": ["tickets:create"]}))["key"]
    rows = town.product.rows(
        "select prefix, encode(key_hash, 'hex') as hash, name from api_keys where tenant_id = %(tenant)s",
        town.made.tenant_id,
    )
    assert not any(key[13:] in str(row) for row in rows)


def test_one_companys_admin_does_not_reach_anothers_people(town: Town) -> None:
    other = town.product.company()
    theirs = other.made.engineers["Ana"]
    path = f"/engineers/{theirs}"
    refused(ask(town, "PUT", f"{path}/password", {"password": "a stolen password"}), 404, "engineer_unknown")
    refused(ask(town, "PUT", f"{path}/active", {"active": False}), 404, "engineer_unknown")
    assert ok(ask(town, "GET", f"{path}/devices"))["devices"] == []
    assert str(theirs) not in ask(town, "GET", "/engineers").text
    assert str(theirs) not in ask(town, "GET", f"/engineers?page={theirs}").text


def test_people_and_keys_go_page_by_page_and_a_part_of_a_name_finds_them(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity_admin, "PAGE", 2)
    for name in ("shop", "desk", "app"):
        ok(ask(town, "POST", "/keys", {"name": name, "scopes": ["tickets:read"]}))
    for path, key, least in (("/engineers", "name", 3), ("/dispatchers", "name", 2), ("/keys", "key_id", 4)):
        found, page = [], ""
        while page is not None:
            body = ok(ask(town, "GET", f"{path}?page={page}" if page else path))
            lines, page = body[path[1:]], body["next_page"]
            assert len(lines) == 2 or page is None
            found += [line[key] for line in lines]
        assert len(found) == len(set(found)) >= least
        assert key != "name" or found == sorted(found)
    assert [one["name"] for one in ok(ask(town, "GET", "/engineers?q=AN"))["engineers"]] == ["Ana"]
    assert ok(ask(town, "GET", "/engineers?q=%25"))["engineers"] == []


def test_a_skill_and_a_work_type_are_called_otherwise_and_taken_out_while_nothing_uses_them(
    town: Town,
) -> None:
    name = {"zh": "新名", "en": "New name"}
    assert ask(town, "PUT", "/skills/hvac", {"name": name}).status_code == 204
    assert ask(town, "PUT", "/work_types/survey", {"name": name, "duration_min": 45}).status_code == 204
    listed = ok(ask(town, "GET", ""))
    assert next(s for s in listed["skills"] if s["code"] == "hvac")["name"] == name
    changed = next(w for w in listed["work_types"] if w["code"] == "survey")
    assert (changed["name"], changed["duration_min"]) == (name, 45)

    refused(ask(town, "PUT", "/skills/magic", {"name": name}), 404, "skill_unknown")
    refused(
        ask(town, "PUT", "/work_types/magic", {"name": name, "duration_min": 45}), 404, "work_type_unknown"
    )
    town.create(new_ticket("survey"))
    for used in ("/skills/hvac", "/work_types/survey"):
        refused(ask(town, "DELETE", used), 409, "code_in_use")
        refused(ask(town, "DELETE", used, who="Dora"), 403, "forbidden")
    free = {"code": "spare", "name": name}
    assert ask(town, "POST", "/skills", free).status_code == 204
    assert (
        ask(town, "POST", "/work_types", free | {"duration_min": 30, "skills": {"spare": 1}}).status_code
        == 204
    )
    refused(ask(town, "DELETE", "/skills/spare"), 409, "code_in_use")
    assert ask(town, "DELETE", "/work_types/spare").status_code == 204
    assert ask(town, "DELETE", "/skills/spare").status_code == 204
    refused(ask(town, "DELETE", "/skills/spare"), 404, "skill_unknown")
    left = ok(ask(town, "GET", ""))
    assert "spare" not in {line["code"] for line in left["skills"] + left["work_types"]}


def retire(town: Town, path: str, retired: bool = True) -> None:
    assert ask(town, "PUT", f"{path}/retired", {"retired": retired}).status_code == 204


def test_a_retired_work_type_is_of_no_new_ticket_until_it_is_brought_back(town: Town) -> None:
    old, other = town.create(new_ticket("survey")), town.create(new_ticket("ac_direct"))
    retire(town, "/work_types/survey")
    retire(town, "/work_types/survey")
    listed = ok(ask(town, "GET", ""))["work_types"]
    assert {work["code"] for work in listed if work["retired"]} == {"survey"}
    board, headers = town.product.client, town.board()
    body = new_ticket("survey")
    refused(board.post("/dispatcher/v1/tickets", json=body, headers=headers), 422, "work_type_retired")
    assert 'value="survey"' not in board.get(f"/new/{town.made.slug}").text
    refused(town.direct(other["ticket_id"], "amend", work_type="survey"), 422, "work_type_retired")

    ok(town.direct(old["ticket_id"], "amend", work_type="survey", description="goes on"))
    assert town.view(old["ticket_id"])["ticket"]["work_type"]["code"] == "survey"
    ok(town.direct(old["ticket_id"], "resolve_remotely", text="done"))
    ok(town.answer(old["customer_link"], "sign_off"))
    child = {"command_id": str(new_id()), "kind": "follow_up"}
    path = f"/dispatcher/v1/tickets/{old['ticket_id']}/follow_up"
    assert board.post(path, json=child, headers=headers).status_code == 201

    retire(town, "/work_types/survey", retired=False)
    assert 'value="survey"' in board.get(f"/new/{town.made.slug}").text
    town.create(new_ticket("survey"))


def test_a_retired_skill_is_kept_by_who_has_it_and_given_to_nobody_else(town: Town) -> None:
    """Every change of a list is one event of the company's."""
    name = {"zh": "新名", "en": "New name"}
    retire(town, "/skills/hvac")
    assert next(s for s in ok(ask(town, "GET", ""))["skills"] if s["code"] == "hvac")["retired"]
    ana = next(e for e in ok(ask(town, "GET", "/engineers"))["engineers"] if e["name"] == "Ana")
    assert "hvac" in ana["skills"]
    assert refused(ask(town, "POST", "/engineers", added(town)), 422, "skill_retired") == {"skill": "hvac"}
    work = {"code": "cooling", "name": name, "duration_min": 30, "skills": {"hvac": 1}}
    refused(ask(town, "POST", "/work_types", work), 422, "skill_retired")
    refused(ask(town, "POST", "/skills", {"code": "hvac", "name": name}), 409, "code_taken")
    retire(town, "/skills/hvac", retired=False)
    retire(town, "/skills/hvac", retired=False)
    ok(ask(town, "POST", "/engineers", added(town)))
    assert ask(town, "PUT", "/skills/hvac", {"name": name}).status_code == 204
    refused(ask(town, "PUT", "/skills/magic/retired", {"retired": True}), 404, "skill_unknown")

    told = town.product.rows(
        "select facts, actor_id from ticket_events where tenant_id = %(tenant)s and action = 'skill_changed' "
        "order by seq",
        town.made.tenant_id,
    )
    changes: list[dict[str, Any]] = [{"retired": True}, {"retired": False}, {}]
    assert [line["facts"] for line in told] == [{"code": "hvac", **change} for change in changes]
    assert {line["actor_id"] for line in told} == {town.made.dispatchers["Ada"]}


def test_lists_grow_and_a_code_is_taken_once(town: Town) -> None:
    skill = {"code": "lifts", "name": {"zh": "电梯", "en": "Lifts"}}
    assert ask(town, "POST", "/skills", skill).status_code == 204
    refused(ask(town, "POST", "/skills", skill), 409, "code_taken")
    work = {"code": "lift_check", "name": {"zh": "电梯维保", "en": "Lift check"}, "duration_min": 60}
    assert ask(town, "POST", "/work_types", work | {"skills": {"lifts": 1}}).status_code == 204
    refused(ask(town, "POST", "/work_types", work), 409, "code_taken")
    listed = ok(ask(town, "GET", ""))
    assert "lifts" in [s["code"] for s in listed["skills"]]
    assert "lift_check" in [w["code"] for w in listed["work_types"]]


def test_a_list_that_forms_show_whole_ends_where_they_end(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = ok(ask(town, "GET", ""))
    monkeypatch.setattr(tenants, "MOST_LISTED", len(listed["skills"]) + 1)
    made = [
        ask(town, "POST", "/skills", {"code": f"more_{n}", "name": {"zh": "多", "en": "More"}})
        for n in (1, 2)
    ]
    assert made[0].status_code == 204
    assert refused(made[1], 409, "too_many") == {"most": len(listed["skills"]) + 1}
    monkeypatch.setattr(tenants, "MOST_LISTED", 1)
    name, tenant_id = {"zh": "东", "en": "East"}, town.made.tenant_id
    with town.product.house.database.transaction(tenant_id) as db:
        tenants.add_contractor(db, tenant_id, name)
        with pytest.raises(Conflict, match="too_many"):
            tenants.add_contractor(db, tenant_id, name)
    assert [one["name"] for one in ok(ask(town, "GET", ""))["contractors"]] == [name]
