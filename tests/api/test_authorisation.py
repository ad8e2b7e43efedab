"""Who may come through which door: generated from the OpenAPI, every operation × every role.

An allowed cell answers 2xx with its object; every other cell does not. A route without a row in the
policy table, or a row without a route, fails.
"""

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.signin import Doorkeeper
from dispatch.actions.identity_codes import make_code
from dispatch.actions.tenants import (
    EngineerWanted,
    add_api_key,
    add_contractor,
    add_dispatcher,
    add_engineer,
)
from dispatch.domain.commands import Role
from dispatch.domain.errors import Forbidden
from dispatch.domain.identity import totp_code
from dispatch.domain.policy import POLICY, PUBLIC, SCOPES, check_policy
from dispatch.domain.reasons import REASONS
from dispatch.store.ids import new_id
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import Dispatcher
from geo.pmtiles import BASE_MAP, write_pmtiles
from tests.builders import PASSWORD, PASSWORD_HASH, new_ticket, picture
from tests.house import Product, Town, ok
from tests.integration.test_push_subscription import subscription

BROWSER = subscription()
DEVICE = "probe-device-0123456789abcdef"
ROLES = (Role.ADMIN, Role.DISPATCHER, Role.CONTRACTOR, Role.ENGINEER, Role.CUSTOMER, Role.API_KEY)
#: Streams never end: tests/faults/test_live.py asks them over a real socket.
STREAMS = frozenset({"engineer_live", "dispatcher_live"})
#: Pages answer in HTML and are public; tests/api/test_customer_pages.py looks at them.
PAGES = frozenset(
    {
        "link_page",
        "link_form",
        "link_photo_page",
        "request_form",
        "request_form_post",
        "static_page",
        "manager_page",
        "manager_form",
        "link_certificate",
        "check_certificate",
        "link_notices",
    }
)

#: Signed by who calls, or sending a browser on: tests/integration/test_telling.py and test_oidc.py make such
#: calls, good and bad.
CALLBACKS = frozenset(
    {
        "wecom_verify",
        "wecom_callback",
        "dispatcher_oidc_start",
        "dispatcher_oidc_prove",
        "dispatcher_oidc_callback",
    }
)


class World:
    """A town with a ticket in Ana's hands, a photo, a failed job, and a door for every role."""

    def __init__(self, product: Product) -> None:
        self.town: Town = product.company()
        self.endpoint_id: str | None = None
        self.days = 0
        self.made_calendar: str | None = None
        town, made = self.town, self.town.made
        self.made = town.create(new_ticket("ac_direct"))
        self.ticket_id: str = self.made["ticket_id"]
        town.settle()
        name = town.view(self.ticket_id)["ticket"]["engineer_name"]
        self.engineer = name
        self.photo_id = town.photo(name, self.ticket_id, "completion", 1)
        town.create(new_ticket("leak"))
        doors: Doorkeeper = product.app.state.doorkeeper
        with made.house.database.transaction(made.tenant_id) as db:
            contractor = add_contractor(db, made.tenant_id, {"zh": "服务商", "en": "Contractor"})
            dispatcher_id = add_dispatcher(
                db, made.tenant_id, "Cora", f"cora-{made.slug}", PASSWORD_HASH, "contractor", "en", contractor
            )
        with made.house.database.transaction(made.tenant_id) as db:
            cora = db.get(Dispatcher, {"tenant_id": made.tenant_id, "id": dispatcher_id})
        assert cora is not None
        self.cora = dispatcher_id
        offered = town.create(new_ticket("survey"))["ticket_id"]
        assert town.direct(offered, "offer", engineer_ids=[str(contractor)]).status_code == 200
        self.offered = offered
        self.lent = town.create(new_ticket("survey"))["ticket_id"]
        assert town.direct(self.lent, "offer", engineer_ids=[str(contractor)]).status_code == 200
        self.lent_photo_id = str(new_id())
        url = f"/dispatcher/v1/photos/{self.lent_photo_id}?ticket_id={self.lent}&kind=intake"
        assert product.client.put(url, content=picture(9), headers=town.board()).status_code == 201
        self.tokens: dict[Role | None, dict[str, str]] = {
            Role.ADMIN: town.board("Ada"),
            Role.DISPATCHER: town.board("Dora"),
            Role.CONTRACTOR: {"Authorization": f"Bearer {doors.begin(cora, 'board').token}"},
            Role.ENGINEER: town.phone(name),
            Role.CUSTOMER: {"Authorization": f"Bearer {self.made['customer_link'].rsplit('/', 1)[1]}"},
            Role.API_KEY: town.key,
            None: {},
        }

    def spare(self, role: Role) -> dict[str, str]:
        """A sign-in that may be ended."""
        name = {Role.ADMIN: "Ada", Role.DISPATCHER: "Dora"}.get(role, self.engineer)
        kind = "engineer" if role is Role.ENGINEER else "dispatcher"
        if role is Role.CONTRACTOR:
            name = "Cora"
        body = {"signin_id": self.town.made.signin_id(name), "password": PASSWORD}
        reply = self.town.product.client.post(f"/{kind}/v1/signin", json=body)
        cookie = reply.cookies.get(self.town.product.app.state.doorkeeper.cookie)
        self.town.product.client.cookies.clear()
        return {"Authorization": f"Bearer {cookie or reply.json()['access_token']}"}

    def phone(self) -> dict[str, Any]:
        """The engineer on one more device, signed in just now."""
        body = {"signin_id": self.town.made.signin_id(self.engineer), "password": PASSWORD}
        reply = self.town.product.client.post("/engineer/v1/signin", json=body | {"device_id": DEVICE})
        return dict(reply.json())

    def device_of(self, phone: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {phone['access_token']}"}
        devices = self.town.product.client.get("/engineer/v1/devices", headers=headers).json()["devices"]
        return next(str(device["device_id"]) for device in devices if device["current"])

    def leaver(self) -> str:
        """An engineer without work."""
        made = self.town.made
        wanted = EngineerWanted("Leo", f"leo-{new_id().hex}", PASSWORD_HASH, {})
        with made.house.database.transaction(made.tenant_id) as db:
            return str(add_engineer(db, made.house.personal, made.tenant_id, wanted, made.house.now()))

    def finished(self) -> str:
        """A cancelled ticket of a customer who has no other."""
        phone = f"137{secrets.randbelow(10**8):08d}"
        ticket_id = str(self.town.create(new_ticket("survey", contact_phone=phone))["ticket_id"])
        assert self.town.direct(ticket_id, "cancel", "Ada", reason=REASONS["cancel"][0]).status_code == 200
        return ticket_id

    def contract_id(self) -> str:
        """A contract of the customer's, which no promise names."""
        contract_id = str(new_id())
        body = {"customer_phone": CHEN, "number": contract_id, "starts_at": "2026-01-01T00:00:00Z"}
        path = f"/dispatcher/v1/contracts/{contract_id}"
        ok(self.town.product.client.put(path, json=body, headers=self.town.board("Ada")))
        return contract_id

    def duty_id(self) -> str:
        """Some hours of Dora's as the duty manager."""
        duty_id, hours = (
            str(new_id()),
            {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-02T00:00:00Z"},
        )
        body = {"dispatcher_id": str(self.town.made.dispatchers["Dora"]), **hours}
        path = f"/dispatcher/v1/duties/{duty_id}"
        ok(self.town.product.client.put(path, json=body, headers=self.town.board("Ada")))
        return duty_id

    def shift_id(self) -> str:
        """A shift of Eve's in some years."""
        made, when = self.town.made, self.town.product.clock.now() + timedelta(days=secrets.randbelow(3000))
        return str(
            self.town.product.rows(
                "insert into shifts (tenant_id, id, engineer_id, starts_at, ends_at) values (%(tenant)s, "
                "gen_random_uuid(), %(e)s, %(at)s, %(at)s + interval '1 hour') returning id",
                made.tenant_id,
                e=made.engineers["Eve"],
                at=when,
            )[0]["id"]
        )

    def key_id(self) -> str:
        made = self.town.made
        with made.house.database.transaction(made.tenant_id) as db:
            add_api_key(db, made.tenant_id, "probe", ["tickets:read"], made.house.now())
        rows = self.town.product.rows(
            "select id from api_keys where tenant_id = %(tenant)s and name = 'probe' and revoked_at is null",
            made.tenant_id,
        )
        return str(rows[0]["id"])

    def proof(self) -> dict[str, str]:
        """A password that will do, however often a wrong one was given before."""
        self.town.product.rows("delete from signin_attempts returning lookup")
        return {"password": PASSWORD}

    def totp_start(self) -> str:
        """Where a second factor begins, for people who have none, whatever was confirmed before."""
        self.town.product.rows(
            "update dispatchers set totp_at = null, totp_enc = null where tenant_id = %(tenant)s returning id",
            self.town.made.tenant_id,
        )
        return "/dispatcher/v1/totp/start"

    def totp(self, role: Role) -> dict[str, str]:
        """The code that confirms a second factor begun just now, where this role may have one."""
        started = self.town.product.client.post(self.totp_start(), headers=self.tokens[role])
        if started.status_code != 200:
            return {"code": "000000"}
        wall = self.town.product.app.state.doorkeeper.wall()
        secret = base64.b32decode(started.json()["secret"])
        return {"code": totp_code(secret, int(wall.timestamp()) // 30)}

    def code(self) -> str:
        """A one-time code, made as if the last one had gone out an hour ago."""
        made, doors = self.town.made, self.town.product.app.state.doorkeeper
        self.town.product.rows(
            "delete from signin_codes where tenant_id = %(tenant)s returning id", made.tenant_id
        )
        with made.house.database.transaction(made.tenant_id) as db:
            engineer = db.get(Engineer, {"tenant_id": made.tenant_id, "id": made.engineers[self.engineer]})
            assert engineer is not None
            sent = make_code(db, made.house.personal, engineer, doors.keys.key, doors.wall())
        assert sent is not None
        return sent[2]

    def failed_job(self) -> int:
        rows = self.town.product.rows(
            "insert into procrastinate_jobs (queue_name, task_name, status, args) values "
            "('default', 'match_ticket', 'failed', jsonb_build_object('tenant', %(t)s::text, "
            "'subject', %(k)s::text, 'ticket', %(k)s::text, 'seq', 1, 'depth', 0)) returning id",
            t=str(self.town.made.tenant_id),
            k=self.ticket_id,
        )
        return int(rows[0]["id"])

    def closed(self) -> str:
        """A ticket solved remotely and accepted."""
        ticket_id = str(self.town.create(new_ticket("survey"))["ticket_id"])
        self.town.direct(ticket_id, "resolve_remotely", text="by phone")
        self.town.direct(ticket_id, "sign_off", text="agreed")
        return ticket_id

    def upload_id(self) -> str:
        upload_id = str(new_id())
        body = {"ticket_id": self.ticket_id, "kind": "completion", "bytes_total": 1000}
        url = f"/engineer/v1/uploads/{upload_id}"
        ok(self.town.product.client.post(url, json=body, headers=self.town.phone(self.engineer)))
        return upload_id

    def part(self) -> str:
        """A part that is on the list."""
        line = {"code": "probe", "name": NAME}
        headers = self.town.board("Ada")
        self.town.product.client.put("/dispatcher/v1/parts", json={"lines": [line]}, headers=headers)
        return "probe"

    def depot(self) -> str:
        """A depot with that part in it, and in the world's engineer's van."""
        depot_id = "00000000-0000-7000-8000-00000000d001"
        door, client = "/dispatcher/v1/depots/" + depot_id, self.town.product.client
        client.put(door, json={"code": "main", "name": NAME}, headers=self.town.board("Ada"))
        lines = [{"part": self.part(), "counted": "100"}]
        for place in ({"depot_id": depot_id}, {"engineer_id": str(self.town.made.engineers[self.engineer])}):
            count = {"command_id": str(new_id()), "reason": "counted", "lines": lines, **place}
            client.post("/dispatcher/v1/stock_takes", json=count, headers=self.town.board("Ada"))
        return depot_id

    def moved(self, van: bool = False) -> dict[str, Any]:
        """One of that part, and whose van it goes into or comes from."""
        engineer = {"engineer_id": str(self.town.made.engineers[self.engineer])} if van else {}
        lines = [{"part": self.part(), "quantity": "1"}]
        return {"command_id": str(new_id()), **engineer, "lines": lines}

    def old_parts(self) -> str:
        """A depot, and old parts both there and at the world's engineer."""
        depot_id, engineer_id = self.depot(), str(self.town.made.engineers[self.engineer])
        for place in (depot_id, engineer_id):
            self.town.product.rows(
                "insert into part_movements (tenant_id, part, quantity, from_kind, to_kind, to_id, at) values "
                "(%(tenant)s, 'probe', 100, 'ticket', 'returned', %(place)s, now()) returning id",
                self.town.made.tenant_id,
                place=place,
            )
        return depot_id

    def owed_part(self) -> str:
        """A ticket whose old parts the world's engineer kept back."""
        self.part()
        self.town.product.rows(
            "insert into part_movements (tenant_id, part, quantity, from_kind, from_id, to_kind, to_id, ticket_id, at) "
            "values (%(tenant)s, 'probe', 100, 'van', %(engineer)s, 'ticket', %(ticket)s, %(ticket)s, now()) returning id",
            self.town.made.tenant_id,
            engineer=self.town.made.engineers[self.engineer],
            ticket=self.ticket_id,
        )
        return self.ticket_id

    def listed(self, kind: str) -> str:
        """The code of a skill or work type that nothing uses."""
        body: dict[str, Any] = {"code": f"x{secrets.token_hex(8)}", "name": NAME}
        more = {"duration_min": 30} if kind == "work_types" else {}
        url, headers = f"/dispatcher/v1/admin/{kind}", self.town.board("Ada")
        assert self.town.product.client.post(url, json=body | more, headers=headers).status_code == 204
        return str(body["code"])

    def price(self) -> str:
        """A line of the price list."""
        headers = self.town.board("Ada")
        self.town.product.client.put("/dispatcher/v1/prices/probe", json=PRICE, headers=headers)
        return "probe"

    def rate(self) -> str:
        """What engineers earn by a survey."""
        url, headers = "/dispatcher/v1/rates/survey/engineer", self.town.board("Ada")
        self.town.product.client.put(url, json={"fixed_minor": 1}, headers=headers)
        return "survey/engineer"

    def dated_rate(self) -> tuple[str, dict[str, Any]]:
        """A rate of a day that no other has."""
        self.days += 1
        day = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=self.days)
        span = {"valid_from": day.isoformat(), "valid_until": (day + timedelta(days=1)).isoformat()}
        line = {"work_type": "survey", "payee_kind": "engineer", "fixed_minor": 1, **span}
        return f"/dispatcher/v1/dated_rates/{new_id()}", line

    def kept_dated_rate(self) -> str:
        url, line = self.dated_rate()
        self.town.product.client.put(url, json=line, headers=self.town.board("Ada"))
        return url

    def asset_id(self) -> str:
        body = {"kind": "probe", "serial": "1", "name": NAME}
        reply = self.town.product.client.post("/dispatcher/v1/assets", json=body, headers=self.town.board())
        return str(reply.json()["asset_id"])

    def webhook(self) -> str:
        """An endpoint that is switched off, one for all."""
        if self.endpoint_id is None:
            self.endpoint_id = str(new_id())
            reply = self.town.product.client.put(
                f"/dispatcher/v1/webhooks/{self.endpoint_id}",
                json={"url": "https://hooks.example/paidan", "active": False},
                headers=self.town.board("Ada"),
            )
            assert reply.status_code == 200, reply.text
        return self.endpoint_id

    def ended_delivery(self) -> str:
        delivery_id = str(new_id())
        self.town.product.rows(
            "insert into webhook_deliveries (tenant_id, id, endpoint_id, seq, action, body, status, made_at) "
            "values (%(t)s, %(id)s, %(endpoint)s, -(random() * 1e15)::bigint, 'note', '{}', 'failed', now()) "
            "returning id",
            t=self.town.made.tenant_id,
            id=delivery_id,
            endpoint=self.webhook(),
        )
        return delivery_id

    def calendar_id(self) -> str:
        """A calendar, one for all."""
        if self.made_calendar is None:
            self.made_calendar = str(new_id())
            reply = self.town.product.client.put(
                f"/dispatcher/v1/calendars/{self.made_calendar}",
                json=calendar(),
                headers=self.town.board("Ada"),
            )
            assert reply.status_code == 200, reply.text
        return self.made_calendar

    def command(self, action: str, **facts: Any) -> dict[str, Any]:
        return {"command_id": str(new_id()), "action": action, "facts": facts}

    def phone_command(self) -> dict[str, Any]:
        at = self.town.product.clock.now().isoformat()
        return self.command("note", text="a note") | {"ticket_id": self.ticket_id, "at": at}

    def seen_by(self, role: Role) -> str:
        """A ticket that is this dispatcher's to see."""
        return self.lent if role is Role.CONTRACTOR else self.ticket_id

    def dispatcher_action(self, role: Role) -> tuple[str, Any]:
        if role is not Role.CONTRACTOR:
            return f"/dispatcher/v1/tickets/{self.ticket_id}/actions", self.command("note", text="a note")
        offered = f"/dispatcher/v1/tickets/{self.offered}/actions"
        return offered, self.command("decline_offer", reason="busy")


Maker = Callable[[World, Role], tuple[str, Any]]
NAME = {"zh": "示例", "en": "Example"}
PRICE = {"name": NAME, "kind": "labour", "unit_price_minor": 1}
CHEN = "13900001234"


def calendar() -> dict[str, Any]:
    return {"name": NAME, "rules": {"zone": "Asia/Shanghai", "week": [[[540, 1080]]] * 5 + [[], []]}}


def at(path: str, body: Any = None) -> Maker:
    return lambda world, role: (path, body)


def position(world: World, role: Role) -> tuple[str, Any]:
    return "/engineer/v1/positions", {"positions": [world.town.at_site()]}


REQUESTS: dict[str, Maker] = {
    "health": at("/healthz"),
    "ready": at("/readyz"),
    "map_layer": at("/map/probe.geojson"),
    "map_base": at("/map/base.json"),
    "map_tile": at("/map/base/0/0/0.mvt"),
    "engineer_signin": lambda w, r: (
        "/engineer/v1/signin",
        {"signin_id": w.town.made.signin_id(w.engineer), "password": PASSWORD},
    ),
    "engineer_signin_code": lambda w, r: (
        "/engineer/v1/signin/code",
        {"signin_id": w.town.made.signin_id(w.engineer)},
    ),
    "engineer_signin_by_code": lambda w, r: (
        "/engineer/v1/signin/by_code",
        {"signin_id": w.town.made.signin_id(w.engineer), "code": w.code()},
    ),
    "engineer_refresh": lambda w, r: (
        "/engineer/v1/refresh",
        {"refresh_token": w.phone()["refresh_token"], "device_id": DEVICE},
    ),
    "engineer_devices": at("/engineer/v1/devices"),
    "engineer_revoke_device": lambda w, r: (
        f"/engineer/v1/devices/{w.device_of(w.phone())}/revoke",
        None,
    ),
    "dispatcher_signin": lambda w, r: (
        "/dispatcher/v1/signin",
        {"signin_id": w.town.made.signin_id("Dora"), "password": PASSWORD},
    ),
    "request_ticket": lambda w, r: (
        f"/customer/v1/{w.town.made.slug}/tickets",
        {
            "command_id": str(new_id()),
            "work_type": "leak",
            "description": "drip",
            "address": "1 Example Road",
            "contact_phone": "13900001234",
        },
    ),
    "engineer_signout": at("/engineer/v1/signout"),
    "engineer_today": at("/engineer/v1/today"),
    "engineer_pool": at("/engineer/v1/pool"),
    "engineer_ticket": lambda w, r: (f"/engineer/v1/tickets/{w.ticket_id}", None),
    "engineer_receipt": lambda w, r: (f"/engineer/v1/tickets/{w.ticket_id}/receipt", None),
    "engineer_colleagues": at("/engineer/v1/colleagues"),
    "engineer_action": lambda w, r: ("/engineer/v1/actions", w.phone_command()),
    "engineer_actions": lambda w, r: ("/engineer/v1/actions/batch", {"commands": [w.phone_command()]}),
    "engineer_positions": position,
    "engineer_position_use": at("/engineer/v1/position_use"),
    "engineer_position_consent": at("/engineer/v1/position_consent", {"agreed": True}),
    "engineer_stock": at("/engineer/v1/stock"),
    "engineer_begin_upload": lambda w, r: (
        f"/engineer/v1/uploads/{new_id()}",
        {"ticket_id": w.ticket_id, "kind": "completion", "bytes_total": 1000},
    ),
    "engineer_upload": lambda w, r: (f"/engineer/v1/uploads/{w.upload_id()}", None),
    "engineer_upload_piece": lambda w, r: (f"/engineer/v1/uploads/{w.upload_id()}?offset=0", b"piece"),
    "engineer_put_photo": lambda w, r: (
        f"/engineer/v1/photos/{new_id()}?ticket_id={w.ticket_id}&kind=completion",
        picture(2),
    ),
    "engineer_get_photo": lambda w, r: (f"/engineer/v1/photos/{w.photo_id}", None),
    "engineer_sync": at("/engineer/v1/sync"),
    "engineer_drop_push_target": at(
        "/engineer/v1/push_target/gone", {"platform": "fcm", "target": "nobody's"}
    ),
    "engineer_push_key": at("/engineer/v1/push_key"),
    "engineer_push_target": at("/engineer/v1/push_target", {"platform": "fcm", "target": "probe"}),
    "dispatcher_signout": at("/dispatcher/v1/signout"),
    "dispatcher_me": at("/dispatcher/v1/me"),
    "dispatcher_prove": lambda w, r: ("/dispatcher/v1/proof", w.proof()),
    "dispatcher_change_password": lambda w, r: (
        "/dispatcher/v1/password",
        {"old_password": w.proof()["password"], "new_password": PASSWORD},
    ),
    "dispatcher_totp_start": lambda w, r: (w.totp_start(), None),
    "dispatcher_totp_confirm": lambda w, r: ("/dispatcher/v1/totp/confirm", w.totp(r)),
    "dispatcher_totp_remove": at("/dispatcher/v1/totp/remove"),
    "dispatcher_board": at("/dispatcher/v1/board"),
    "dispatcher_tickets": at("/dispatcher/v1/tickets"),
    "dispatcher_create_ticket": lambda w, r: ("/dispatcher/v1/tickets", new_ticket("survey")),
    "dispatcher_ticket": lambda w, r: (f"/dispatcher/v1/tickets/{w.seen_by(r)}", None),
    "dispatcher_action": lambda w, r: w.dispatcher_action(r),
    "dispatcher_candidates": lambda w, r: (f"/dispatcher/v1/tickets/{w.ticket_id}/candidates", None),
    "dispatcher_receipts": lambda w, r: (f"/dispatcher/v1/tickets/{w.ticket_id}/receipts", None),
    "dispatcher_match": lambda w, r: (
        f"/dispatcher/v1/tickets/{w.town.create(new_ticket('survey'))['ticket_id']}/match",
        None,
    ),
    "dispatcher_catalogue": at("/dispatcher/v1/catalogue"),
    "dispatcher_places": at("/dispatcher/v1/places?q=road"),
    "dispatcher_put_photo": lambda w, r: (
        f"/dispatcher/v1/photos/{new_id()}?ticket_id={w.ticket_id}&kind=intake",
        picture(3),
    ),
    "dispatcher_get_photo": lambda w, r: (
        f"/dispatcher/v1/photos/{w.lent_photo_id if r is Role.CONTRACTOR else w.photo_id}",
        None,
    ),
    "dispatcher_webhooks": at("/dispatcher/v1/webhooks"),
    "dispatcher_put_webhook": lambda w, r: (
        f"/dispatcher/v1/webhooks/{w.webhook()}",
        {"url": "https://hooks.example/paidan", "active": False},
    ),
    "dispatcher_rotate_webhook": lambda w, r: (f"/dispatcher/v1/webhooks/{w.webhook()}/rotate", None),
    "dispatcher_webhook_deliveries": at("/dispatcher/v1/webhook_deliveries"),
    "dispatcher_replay_webhook": lambda w, r: (
        f"/dispatcher/v1/webhook_deliveries/{w.ended_delivery()}/replay",
        None,
    ),
    "dispatcher_automations": at("/dispatcher/v1/automations"),
    "dispatcher_put_automation": at("/dispatcher/v1/automations/ask_rating", {"active": False}),
    "dispatcher_messages": at("/dispatcher/v1/messages"),
    "dispatcher_tell_settings": at("/dispatcher/v1/tell_settings"),
    "dispatcher_put_tell_rules": at("/dispatcher/v1/tell_rules", {"debounce_s": 20}),
    "dispatcher_put_channel": at(
        "/dispatcher/v1/channels/feishu",
        {"active": False, "values": {"hook": "hook", "secret": "secret"}},
    ),
    "dispatcher_put_targets": lambda w, r: (
        f"/dispatcher/v1/people/engineer/{w.town.made.engineers['Eve']}/targets",
        {"targets": [{"channel": "sms", "address": "13800001111"}]},
    ),
    "dispatcher_promises": lambda w, r: (f"/dispatcher/v1/tickets/{w.seen_by(r)}/promises", None),
    "dispatcher_promise_settings": at("/dispatcher/v1/promise_settings"),
    "dispatcher_put_policy": lambda w, r: (
        f"/dispatcher/v1/promise_policies/{new_id()}",
        {"name": NAME, "work_type": "survey", "response_min": 30, "active": False},
    ),
    "dispatcher_put_calendar": lambda w, r: (f"/dispatcher/v1/calendars/{new_id()}", calendar()),
    "dispatcher_china_days": lambda w, r: (
        f"/dispatcher/v1/calendars/{w.calendar_id()}/china_days",
        {"year": 2026},
    ),
    "dispatcher_put_contract": lambda w, r: (
        f"/dispatcher/v1/contracts/{new_id()}",
        {"customer_phone": CHEN, "number": str(new_id()), "starts_at": "2026-01-01T00:00:00Z"},
    ),
    "dispatcher_put_duty": lambda w, r: (
        f"/dispatcher/v1/duties/{new_id()}",
        {
            "dispatcher_id": str(w.town.made.dispatchers["Dora"]),
            "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2026-01-02T00:00:00Z",
        },
    ),
    "dispatcher_drop_contract": lambda w, r: (f"/dispatcher/v1/contracts/{w.contract_id()}", None),
    "dispatcher_drop_duty": lambda w, r: (f"/dispatcher/v1/duties/{w.duty_id()}", None),
    "engineer_shifts": at("/engineer/v1/shifts"),
    "contractor_work": at("/dispatcher/v1/contractor"),
    "dispatcher_shifts": at("/dispatcher/v1/shifts"),
    "dispatcher_drop_shift": lambda w, r: (f"/dispatcher/v1/shifts/{w.shift_id()}", None),
    "dispatcher_put_checklist": at("/dispatcher/v1/work_types/survey/checklist", {"items": []}),
    "dispatcher_put_price": at("/dispatcher/v1/prices/probe", PRICE),
    "dispatcher_drop_price": lambda w, r: (f"/dispatcher/v1/prices/{w.price()}", None),
    "dispatcher_put_parts": at("/dispatcher/v1/parts", {"lines": [{"code": "probe", "name": NAME}]}),
    "dispatcher_put_rate": at("/dispatcher/v1/rates/survey/helper", {"fixed_minor": 1}),
    "dispatcher_drop_rate": lambda w, r: (f"/dispatcher/v1/rates/{w.rate()}", None),
    "dispatcher_put_dated_rate": lambda w, r: w.dated_rate(),
    "dispatcher_drop_dated_rate": lambda w, r: (w.kept_dated_rate(), None),
    "dispatcher_settlement": at(
        "/dispatcher/v1/settlement.csv?since=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z"
    ),
    "dispatcher_depots": at("/dispatcher/v1/depots"),
    "dispatcher_put_depot": lambda w, r: (
        f"/dispatcher/v1/depots/{new_id()}",
        {"code": f"d{secrets.token_hex(6)}", "name": NAME},
    ),
    "dispatcher_receive_parts": lambda w, r: (
        f"/dispatcher/v1/depots/{w.depot()}/deliveries",
        {"reference": str(new_id()), **w.moved()},
    ),
    "dispatcher_load_van": lambda w, r: (f"/dispatcher/v1/depots/{w.depot()}/van_loads", w.moved(True)),
    "dispatcher_unload_van": lambda w, r: (f"/dispatcher/v1/depots/{w.depot()}/van_returns", w.moved(True)),
    "dispatcher_old_parts": at("/dispatcher/v1/old_parts"),
    "dispatcher_owed_parts": at("/dispatcher/v1/owed_parts"),
    "dispatcher_bring_old_parts": lambda w, r: (
        f"/dispatcher/v1/tickets/{w.owed_part()}/old_parts",
        w.moved(True),
    ),
    "dispatcher_take_old_parts": lambda w, r: (
        f"/dispatcher/v1/depots/{w.old_parts()}/old_parts_in",
        w.moved(True),
    ),
    "dispatcher_book_out_old_parts": lambda w, r: (
        f"/dispatcher/v1/depots/{w.old_parts()}/old_parts_out",
        {"to": "scrapped", **w.moved()},
    ),
    "dispatcher_take_stock": lambda w, r: (
        "/dispatcher/v1/stock_takes",
        {
            "command_id": str(new_id()),
            "depot_id": w.depot(),
            "reason": "counted",
            "lines": [{"part": w.part(), "counted": "100"}],
        },
    ),
    "dispatcher_stock": lambda w, r: (f"/dispatcher/v1/stock?depot_id={w.depot()}", None),
    "dispatcher_add_asset": at("/dispatcher/v1/assets", {"kind": "probe", "serial": "1", "name": NAME}),
    "dispatcher_asset": lambda w, r: (f"/dispatcher/v1/assets/{w.asset_id()}", None),
    "dispatcher_put_machines": lambda w, r: (
        f"/dispatcher/v1/tickets/{w.ticket_id}/machines",
        {"asset_ids": []},
    ),
    "dispatcher_certificate": lambda w, r: (f"/dispatcher/v1/tickets/{w.closed()}/certificate.pdf", None),
    "dispatcher_follow_up": lambda w, r: (
        f"/dispatcher/v1/tickets/{w.closed()}/follow_up",
        {"command_id": str(new_id()), "kind": "warranty_callback"},
    ),
    "dispatcher_first_time_fix": at(
        "/dispatcher/v1/first_time_fix?since=2026-01-01T00:00:00Z&before=2026-02-01T00:00:00Z"
    ),
    "dispatcher_manager_link": lambda w, r: (f"/dispatcher/v1/tickets/{w.ticket_id}/manager_link", None),
    "dispatcher_admin": at("/dispatcher/v1/admin"),
    "dispatcher_admin_engineers": at("/dispatcher/v1/admin/engineers"),
    "dispatcher_admin_dispatchers": at("/dispatcher/v1/admin/dispatchers"),
    "dispatcher_admin_keys": at("/dispatcher/v1/admin/keys"),
    "dispatcher_add_engineer": lambda w, r: (
        "/dispatcher/v1/admin/engineers",
        {"name": "New", "signin_id": f"new-{new_id().hex}", "password": PASSWORD, "skills": {"hvac": 1}},
    ),
    "dispatcher_add_shifts": lambda w, r: (
        f"/dispatcher/v1/engineers/{w.town.made.engineers['Eve']}/shifts",
        {"spans": [{"starts_at": "2030-01-01T08:00:00+08:00", "ends_at": "2030-01-01T17:00:00+08:00"}]},
    ),
    "dispatcher_erase_engineer": lambda w, r: (
        f"/dispatcher/v1/admin/engineers/{w.leaver()}/erase",
        None,
    ),
    "dispatcher_erase_customer": lambda w, r: (
        f"/dispatcher/v1/admin/tickets/{w.finished()}/erase_customer",
        None,
    ),
    "dispatcher_customer_export": lambda w, r: (
        f"/dispatcher/v1/admin/tickets/{w.ticket_id}/customer",
        None,
    ),
    "dispatcher_devices": lambda w, r: (
        f"/dispatcher/v1/admin/engineers/{w.town.made.engineers[w.engineer]}/devices",
        None,
    ),
    "dispatcher_revoke_device": lambda w, r: (
        f"/dispatcher/v1/admin/engineers/{w.town.made.engineers[w.engineer]}/devices"
        f"/{w.device_of(w.phone())}/revoke",
        None,
    ),
    "dispatcher_add_dispatcher": lambda w, r: (
        "/dispatcher/v1/admin/dispatchers",
        {"name": "New", "signin_id": f"new-{new_id().hex}", "password": PASSWORD},
    ),
    "dispatcher_set_territories": lambda w, r: (
        f"/dispatcher/v1/admin/dispatchers/{w.cora}/territories",
        {"territory_ids": []},
    ),
    "dispatcher_set_password": lambda w, r: (
        f"/dispatcher/v1/admin/engineers/{w.town.made.engineers['Eve']}/password",
        {"password": PASSWORD},
    ),
    "dispatcher_set_active": lambda w, r: (
        f"/dispatcher/v1/admin/engineers/{w.town.made.engineers['Eve']}/active",
        {"active": True},
    ),
    "dispatcher_add_key": lambda w, r: (
        "/dispatcher/v1/admin/keys",
        {"name": "probe", "scopes": ["tickets:read"]},
    ),
    "dispatcher_signin_ways": at("/dispatcher/v1/signin/ways"),
    "dispatcher_oidc": at("/dispatcher/v1/admin/oidc"),
    "dispatcher_put_oidc": at(
        "/dispatcher/v1/admin/oidc",
        {
            "issuer": "https://idp.example",
            "client_id": "probe",
            "client_secret": "probe",
            "email_domains": ["example.com"],
        },
    ),
    "dispatcher_put_email": lambda w, r: (
        f"/dispatcher/v1/admin/dispatchers/{w.cora}/email",
        {"email": "cora@example.com"},
    ),
    "dispatcher_revoke_key": lambda w, r: (f"/dispatcher/v1/admin/keys/{w.key_id()}/revoke", None),
    "dispatcher_add_skill": lambda w, r: (
        "/dispatcher/v1/admin/skills",
        {"code": f"s{new_id().hex[:30]}", "name": {"zh": "技能", "en": "Skill"}},
    ),
    "dispatcher_add_work_type": lambda w, r: (
        "/dispatcher/v1/admin/work_types",
        {
            "code": f"w{new_id().hex[:30]}",
            "name": {"zh": "服务", "en": "Work"},
            "duration_min": 30,
            "skills": {"hvac": 1},
        },
    ),
    "dispatcher_rename_skill": at("/dispatcher/v1/admin/skills/hvac", {"name": NAME}),
    "dispatcher_remove_skill": lambda w, r: (f"/dispatcher/v1/admin/skills/{w.listed('skills')}", None),
    "dispatcher_retire_skill": lambda w, r: (
        f"/dispatcher/v1/admin/skills/{w.listed('skills')}/retired",
        {"retired": True},
    ),
    "dispatcher_retire_work_type": lambda w, r: (
        f"/dispatcher/v1/admin/work_types/{w.listed('work_types')}/retired",
        {"retired": True},
    ),
    "dispatcher_change_work_type": at(
        "/dispatcher/v1/admin/work_types/survey", {"name": NAME, "duration_min": 30}
    ),
    "dispatcher_remove_work_type": lambda w, r: (
        f"/dispatcher/v1/admin/work_types/{w.listed('work_types')}",
        None,
    ),
    "dispatcher_dead_letters": at("/dispatcher/v1/dead_letters"),
    "dispatcher_retry": lambda w, r: (f"/dispatcher/v1/dead_letters/{w.failed_job()}/retry", None),
    "customer_ticket": at("/customer/v1/ticket"),
    "customer_action": lambda w, r: ("/customer/v1/actions", w.command("urge")),
    "customer_put_photo": lambda w, r: (f"/customer/v1/photos/{new_id()}?kind=intake", picture(4)),
    "customer_put_browser": lambda w, r: (
        "/customer/v1/browser",
        {"subscription": BROWSER, "language": "zh"},
    ),
    "customer_drop_browser": lambda w, r: ("/customer/v1/browser/gone", {"subscription": BROWSER}),
    "customer_get_photo": lambda w, r: (f"/customer/v1/photos/{w.photo_id}", None),
    "integration_create_ticket": lambda w, r: ("/api/v1/tickets", new_ticket("survey")),
    "integration_ticket": lambda w, r: (f"/api/v1/tickets/{w.ticket_id}", None),
    "integration_action": lambda w, r: (
        f"/api/v1/tickets/{w.ticket_id}/actions",
        w.command("note", text="x"),
    ),
}


def offer_ack(world: World, role: Role) -> tuple[str, Any]:
    """An offer made to the world's engineer just now."""
    town = world.town
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    engineer_id = str(town.made.engineers[world.engineer])
    town.direct(ticket_id, "offer", engineer_ids=[engineer_id])
    (offer,) = [o for o in town.view(ticket_id)["offers"] if o["engineer_id"] == engineer_id]
    return "/engineer/v1/push_acks", {"offer_id": offer["offer_id"]}


REQUESTS["engineer_push_ack"] = offer_ack


def match_policy(world: World, role: Role) -> tuple[str, Any]:
    """A policy of the world's own, to be kept again or dropped."""
    policy_id = "00000000-0000-7000-8000-00000000a001"
    admin = world.tokens[Role.ADMIN]
    path = f"/dispatcher/v1/match_policies/{policy_id}"
    world.town.product.client.put(path, json={"mode": "offer", "work_type": "ac_repair"}, headers=admin)
    return path, None


def part_wanted(world: World, role: Role) -> tuple[str, Any]:
    made = world.town.made
    world.town.product.rows(
        """insert into parts (tenant_id, code, name, unit)
        values (%(tenant)s, 'fuse', '{"zh": "保险丝", "en": "Fuse"}', 'piece')
        on conflict (tenant_id, code) do update set unit = 'piece' returning code""",
        made.tenant_id,
    )
    return f"/dispatcher/v1/tickets/{world.ticket_id}/parts_wanted/fuse", {"quantity": "0"}


def open_request(world: World) -> str:
    """A leave the world's engineer asks for."""
    town = world.town
    now = town.product.clock.now()
    body = {
        "command_id": str(new_id()),
        "kind": "leave",
        "starts_at": (now + timedelta(days=40)).isoformat(),
        "ends_at": (now + timedelta(days=41)).isoformat(),
    }
    url = "/engineer/v1/requests"
    reply = town.product.client.post(url, json=body, headers=town.phone(world.engineer))
    return str(reply.json()["request_id"])


def engineer_out(world: World, role: Role) -> tuple[str, Any]:
    """Far ahead, so that nothing moves."""
    now = world.town.product.clock.now()
    span = [(now + timedelta(days=d)).isoformat() for d in (20, 21)]
    body = {"command_id": str(new_id()), "starts_at": span[0], "ends_at": span[1]}
    return f"/dispatcher/v1/engineers/{world.town.made.engineers['Eve']}/out", body


REQUESTS["dispatcher_operations"] = at("/dispatcher/v1/operations")

REQUESTS |= {
    "dispatcher_ticket_proof": lambda w, r: (f"/dispatcher/v1/tickets/{w.ticket_id}/proof", None),
    "dispatcher_checklists": at("/dispatcher/v1/checklists"),
    "dispatcher_prices": at("/dispatcher/v1/prices"),
    "dispatcher_rates": at("/dispatcher/v1/rates"),
    "dispatcher_parts": at("/dispatcher/v1/parts"),
    "dispatcher_part_movements": at("/dispatcher/v1/part_movements"),
}

REQUESTS |= {
    "engineer_requests": at("/engineer/v1/requests"),
    "engineer_ask": lambda w, r: (
        "/engineer/v1/requests",
        {
            "command_id": str(new_id()),
            "kind": "overtime",
            "day": (w.town.product.clock.now() + timedelta(days=2)).date().isoformat(),
            "minutes": 30,
        },
    ),
    "engineer_withdraw_request": lambda w, r: (
        f"/engineer/v1/requests/{open_request(w)}/withdraw",
        {"command_id": str(new_id())},
    ),
    "dispatcher_requests": at("/dispatcher/v1/requests"),
    "dispatcher_answer_request": lambda w, r: (
        f"/dispatcher/v1/requests/{open_request(w)}/answer",
        {"command_id": str(new_id()), "verdict": "refuse"},
    ),
    "dispatcher_bulk_reports": at("/dispatcher/v1/bulk"),
    "dispatcher_engineer_out": engineer_out,
    "dispatcher_bulk_rebook": lambda w, r: (
        "/dispatcher/v1/bulk/rebook",
        {"command_id": str(new_id()), "ticket_ids": [str(new_id())], "later_min": 60},
    ),
    "dispatcher_why_not": lambda w, r: (
        f"/dispatcher/v1/tickets/{w.ticket_id}/candidates/{w.town.made.engineers['Eve']}",
        None,
    ),
    "dispatcher_match_policies": at("/dispatcher/v1/match_policies"),
    "dispatcher_put_match_policy": lambda w, r: (
        match_policy(w, r)[0],
        {"mode": "offer", "work_type": "ac_repair"},
    ),
    "dispatcher_drop_match_policy": match_policy,
    "dispatcher_put_wish": lambda w, r: (
        f"/dispatcher/v1/tickets/{w.ticket_id}/wishes/{w.town.made.engineers['Eve']}",
        {"wish": "none"},
    ),
    "dispatcher_put_part_wanted": part_wanted,
}


@pytest.fixture(scope="module")
def world(product: Product) -> World:
    maps = product.settings.maps_dir
    maps.mkdir(parents=True, exist_ok=True)
    (maps / "probe.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    write_pmtiles(maps / BASE_MAP, {(0, 0, 0): b"probe"}, (-1, -1, 1, 1), {})
    return World(product)


def operations(product: Product) -> dict[str, str]:
    """operation id → HTTP method, from the OpenAPI."""
    found = {}
    for item in product.app.openapi()["paths"].values():
        for method, operation in item.items():
            found[operation["operationId"]] = method.upper()
    return found


def ask(
    world: World, operation: str, method: str, role: Role | None, headers: dict[str, str] | None = None
) -> Any:
    path, body = REQUESTS[operation](world, role or Role.DISPATCHER)
    sent = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    tokens = headers if headers is not None else world.tokens[role]
    return world.town.product.client.request(method, path, headers=tokens, **sent)


def test_the_policy_names_every_operation_and_no_other(product: Product) -> None:
    known = set(operations(product)) | {"static_page", "metrics"}
    assert known - set(POLICY) == set()
    assert set(POLICY) - known == set()
    assert set(SCOPES) <= set(POLICY)


def test_every_operation_is_asked(product: Product) -> None:
    assert set(operations(product)) - set(REQUESTS) - STREAMS - PAGES - CALLBACKS == set()


def test_every_allowed_cell_answers_and_every_other_is_refused(world: World) -> None:
    cells = 0
    for operation, method in sorted(operations(world.town.product).items()):
        if operation in STREAMS | PAGES | CALLBACKS:
            continue
        for role in (*ROLES, None):
            allowed = POLICY[operation] == PUBLIC or role in POLICY[operation]
            headers = None
            if allowed and role is not None and operation.endswith("_signout"):
                headers = world.spare(role)
            reply = ask(world, operation, method, role, headers)
            where = f"{operation} as {role}: {reply.status_code} {reply.text[:300]}"
            if allowed:
                assert 200 <= reply.status_code < 300, where
            else:
                assert reply.status_code == (401 if role is None else 403), where
                assert reply.headers["content-type"] == "application/problem+json", where
            cells += 1
    assert cells > 250


def test_a_foreign_tenants_people_find_nothing(world: World, product: Product) -> None:
    other = product.company()
    for path in (
        f"/dispatcher/v1/tickets/{world.ticket_id}",
        f"/dispatcher/v1/tickets/{world.ticket_id}/candidates",
        f"/dispatcher/v1/photos/{world.photo_id}",
    ):
        assert product.client.get(path, headers=other.board()).status_code == 404
    assert other.direct(world.ticket_id, "note", text="x").json()["code"] == "ticket_unknown"
    assert other.act("Ana", world.ticket_id, "set_off").json()["code"] == "ticket_unknown"
    assert product.client.get(f"/api/v1/tickets/{world.ticket_id}", headers=other.key).status_code == 404


def test_a_colleague_does_not_see_anothers_ticket(world: World) -> None:
    stranger = "Eve"
    client, headers = world.town.product.client, world.town.phone(stranger)
    assert client.get(f"/engineer/v1/tickets/{world.ticket_id}", headers=headers).status_code == 404
    assert client.get(f"/engineer/v1/photos/{world.photo_id}", headers=headers).status_code == 404


def test_a_key_without_the_scope_is_refused(world: World) -> None:
    made = world.town.made
    with made.house.database.transaction(made.tenant_id) as db:
        key = add_api_key(db, made.tenant_id, "reader", ["tickets:read"], made.house.now())
    headers = {"Authorization": f"Bearer {key}"}
    assert ask(world, "integration_ticket", "GET", None, headers).status_code == 200
    reply = ask(world, "integration_create_ticket", "POST", None, headers)
    assert (reply.status_code, reply.json()["code"]) == (403, "scope_missing")


def test_a_cookie_without_the_csrf_token_changes_nothing(world: World) -> None:
    product = world.town.product
    cookie = world.tokens[Role.DISPATCHER]["Authorization"].removeprefix("Bearer ")
    name = product.app.state.doorkeeper.cookie
    headers = {"Cookie": f"{name}={cookie}"}
    me = product.client.get("/dispatcher/v1/me", headers=headers)
    assert me.status_code == 200
    url = f"/dispatcher/v1/tickets/{world.ticket_id}/actions"
    body = world.command("note", text="forged")
    reply = product.client.post(url, json=body, headers=headers)
    assert (reply.status_code, reply.json()["code"]) == (403, "csrf_token_wrong")
    token = {"X-CSRF-Token": me.json()["csrf_token"]}
    assert product.client.post(url, json=body, headers=headers | token).status_code == 200


def test_an_operation_without_a_row_is_refused_to_all() -> None:
    """Sabotage: a new endpoint that nobody put into the table is closed, not open."""
    for role in ROLES:
        with pytest.raises(Forbidden):
            check_policy("a_new_endpoint", role)
