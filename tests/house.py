"""A running product inside the test process: the real application, the real worker's and relay's code."""

import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from fastapi.testclient import TestClient
from psycopg.rows import dict_row

from api.app import create_app
from dispatch.actions.reacting import idle_jobs
from dispatch.actions.telling_book import ChannelBook
from dispatch.adapters.outside import OutsideClient
from dispatch.adapters.sms import KeptSms
from dispatch.settings import Clock, Settings, read_settings
from dispatch.store.ids import new_id
from jobs.registry import Wired
from jobs.relay import Relay
from jobs.worker import run_job
from tests.background import Background
from tests.builders import PASSWORD, Company, company, picture
from tests.databases import Database

RENEWED_S = 300.0


@dataclass
class TestClock:
    """The product's clock, moved by hand."""

    __test__ = False
    ahead: timedelta = timedelta()
    began: datetime = field(default_factory=Clock.wall)

    def now(self) -> datetime:
        return Clock.wall() + self.ahead

    def move(self, **span: float) -> None:
        self.ahead += timedelta(**span)


def settings_for(database: Database, state: Path) -> Settings:
    """Settings with fresh secrets for one database."""
    return read_settings(
        {
            **database.environment,
            "PAIDAN_SECRET_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "PAIDAN_DATA_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "PAIDAN_STATE": str(state),
        }
    )


class Product:
    """The application over HTTP (in process), and its background work done on demand."""

    def __init__(self, database: Database, state: Path) -> None:
        self.clock = TestClock()
        self.database = database
        self.settings = settings_for(database, state)
        self.app = create_app(self.settings)
        rooms = self.app.state.rooms
        self.house = replace(rooms.house, now=self.clock.now)
        rooms.house = self.house
        rooms.sms = self.sms = KeptSms()
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self._relay = Relay(self.settings)
        self.background: Background | None = None
        self.book: ChannelBook | None = None
        self.outside = OutsideClient()

    def close(self) -> None:
        self.app.state.photos.close()
        self.app.state.database.close()

    def company(self, settings: dict[str, Any] | None = None) -> "Town":
        return Town(self, company(self.house, settings))

    def settle(self, rounds: int = 30) -> None:
        """Relay what happened and run the jobs that follow, until nothing is left to do: by the real
        processes where `background` is set, else by their code in this one."""
        if self.background is not None:
            self.background.settle(self.clock.now())
            return
        wired = Wired(self.house, None, self.book, outside=self.outside)
        for _ in range(rounds):
            with psycopg.connect(
                self.settings.database_relay_url, row_factory=dict_row, autocommit=True
            ) as db:
                with db.transaction():
                    moved = self._relay.relay_once(db, self.clock.now())
                jobs = db.execute(
                    "delete from procrastinate_jobs where status = 'todo' returning task_name, args, id"
                ).fetchall()
            for job in sorted(jobs, key=lambda j: j["id"]):
                do_job(wired, job)
            if not moved and not jobs:
                return
        raise AssertionError("background work does not come to rest")

    def rows(self, sql: str, tenant_id: UUID | None = None, **values: Any) -> list[dict[str, Any]]:
        """Look into the database as its superuser."""
        with psycopg.connect(self.database.superuser_url, row_factory=dict_row) as db:
            return db.execute(sql, {"tenant": tenant_id, **values}).fetchall()


def do_job(wired: Wired, job: Mapping[str, Any]) -> None:
    """A row of the queue done in this process, an event's jobs one after the other."""
    arguments = dict(job["args"])
    names = arguments.pop("names", None)
    if names is None:
        run_job(wired, job["task_name"], arguments)
        return
    idle = idle_jobs(wired.house.database, UUID(arguments["tenant"]), arguments["seq"])
    for name in names:
        if name not in idle:
            run_job(wired, name, arguments)


class Town:
    """One company and its people, each with their own door."""

    def __init__(self, product: Product, made: Company) -> None:
        self.product = product
        self.made = made
        self._tokens: dict[str, dict[str, str]] = {}
        self._since_s: dict[str, float] = {}

    # people

    def phone(self, name: str) -> dict[str, str]:
        """Signed in, and in the same dict anew before the ten minutes of a token are over."""
        held = self._tokens.setdefault(name, {})
        if not held or time.monotonic() - self._since_s[name] > RENEWED_S:
            body = {"signin_id": self.made.signin_id(name), "password": PASSWORD}
            reply = self.product.client.post("/engineer/v1/signin", json=body)
            assert reply.status_code == 200, reply.text
            held["Authorization"] = f"Bearer {reply.json()['access_token']}"
            self._since_s[name] = time.monotonic()
        return held

    def board(self, name: str = "Dora") -> dict[str, str]:
        if name not in self._tokens:
            body = {"signin_id": self.made.signin_id(name), "password": PASSWORD}
            reply = self.product.client.post("/dispatcher/v1/signin", json=body)
            assert reply.status_code == 200, reply.text
            cookie = reply.cookies[self.product.app.state.doorkeeper.cookie]
            self.product.client.cookies.clear()
            self._tokens[name] = {"Authorization": f"Bearer {cookie}"}
        return self._tokens[name]

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.made.key}"}

    # what they do

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        reply = self.product.client.post("/api/v1/tickets", json=body, headers=self.key)
        assert reply.status_code == 201, reply.text
        made: dict[str, Any] = reply.json()
        return made

    def act(self, name: str, ticket_id: str, action: str, **facts: Any) -> Any:
        """An engineer's tap; the raw reply."""
        command_id = facts.pop("command_id", None) or str(new_id())
        body = {
            "command_id": command_id,
            "ticket_id": ticket_id,
            "action": action,
            "at": self.product.clock.now().isoformat(),
            "facts": facts,
        }
        return self.product.client.post("/engineer/v1/actions", json=body, headers=self.phone(name))

    def direct(self, ticket_id: str, action: str, who: str = "Dora", **facts: Any) -> Any:
        """A dispatcher's action; the raw reply."""
        body = {"command_id": str(new_id()), "action": action, "facts": facts}
        url = f"/dispatcher/v1/tickets/{ticket_id}/actions"
        return self.product.client.post(url, json=body, headers=self.board(who))

    def assign_by_hand(self, ticket_id: str, name: str, reason: str = "other") -> None:
        """A dispatcher gives the ticket to an engineer, whatever the rules say."""
        engineer_id = str(self.made.engineers[name])
        confirmed = {"engineer_id": engineer_id, "confirm_broken_rules": True, "reason": reason}
        ok(self.direct(ticket_id, "assign", **confirmed))

    def answer(self, link: str, action: str, **facts: Any) -> Any:
        """The customer's action by link; the raw reply."""
        body = {"command_id": str(new_id()), "action": action, "facts": facts}
        headers = {"Authorization": f"Bearer {link.rsplit('/', 1)[1]}"}
        return self.product.client.post("/customer/v1/actions", json=body, headers=headers)

    def photo(self, name: str, ticket_id: str, kind: str, seed: int | None = None) -> str:
        photo_id = str(new_id())
        reply = self.product.client.put(
            f"/engineer/v1/photos/{photo_id}?ticket_id={ticket_id}&kind={kind}",
            content=picture(seed if seed is not None else secrets.randbits(30)),
            headers=self.phone(name),
        )
        assert reply.status_code == 201, reply.text
        return photo_id

    def at_site(self, **more: Any) -> dict[str, Any]:
        from tests.builders import SITE

        at = self.product.clock.now().isoformat()
        return {"lon": SITE.lon, "lat": SITE.lat, "accuracy_m": 10, "at": at, **more}

    def today(self, name: str) -> dict[str, Any]:
        reply = self.product.client.get("/engineer/v1/today", headers=self.phone(name))
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def view(self, ticket_id: str) -> dict[str, Any]:
        reply = self.product.client.get(f"/dispatcher/v1/tickets/{ticket_id}", headers=self.board())
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def status(self, ticket_id: str) -> str:
        return str(self.view(ticket_id)["ticket"]["status"])

    def settle(self) -> None:
        self.product.settle()

    # a ticket brought to a status

    def arrive(self, name: str, ticket_id: str) -> None:
        ok(self.act(name, ticket_id, "set_off"))
        photo = self.photo(name, ticket_id, "check_in")
        ok(self.act(name, ticket_id, "check_in", photo_ids=[photo], position=self.at_site()))

    def complete(self, name: str, ticket_id: str, outcome: str = "fixed") -> None:
        photo = self.photo(name, ticket_id, "completion")
        ok(self.act(name, ticket_id, "complete", photo_ids=[photo], outcome=outcome, text="done"))


def ok(reply: Any) -> dict[str, Any]:
    """The body of a reply that must be a success."""
    assert reply.status_code in (200, 201), f"{reply.status_code} {reply.text}"
    body: dict[str, Any] = reply.json()
    return body


def refused(reply: Any, status: int, code: str) -> dict[str, Any]:
    """The facts of a refusal that must be this one."""
    body = reply.json()
    assert (reply.status_code, body["code"]) == (status, code), f"{reply.status_code} {reply.text}"
    assert reply.headers["content-type"] == "application/problem+json"
    facts: dict[str, Any] = body["facts"]
    return facts
