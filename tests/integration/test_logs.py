"""Logs: JSON lines with the trace from the request to its jobs and calls, and nothing a person could be known by."""

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from api import metrics
from api.command_line.demo_report import _BUG
from dispatch.adapters.logs import entry, set_up, told
from dispatch.domain.tracing import new_trace, trace_in, traceparent
from jobs import worker
from jobs.registry import JOBS
from tests.builders import PASSWORD, new_ticket
from tests.house import Product, Town, ok

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
NAME, PHONE, STREET, DOOR = "Zhong Kui", "+8613912345678", "Lotus Road 19", "Tower 7, door 1904"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the process logs meanwhile, as it would on standard error."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    for module in (sys, threading):
        monkeypatch.setattr(module, "excepthook", module.excepthook)
    written = io.StringIO()
    set_up("test", stream=written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)


def entries(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def story(town: Town) -> list[str]:
    """A ticket from intake to the customer's page, with refusals and a bug; the words that no log may hold."""
    client = town.product.client
    body = new_ticket("survey", contact_name=NAME, contact_phone=PHONE, address=STREET, door=DOOR)
    body["description"] = f"ask for {NAME} at {PHONE}"
    made = town.create(body)
    ticket_id, link = made["ticket_id"], made["customer_link"]
    town.settle()
    town.assign_by_hand(ticket_id, "Ana")
    town.arrive("Ana", ticket_id)
    town.complete("Ana", ticket_id)
    assert client.get(link).status_code == 200
    ok(town.answer(link, "sign_off", rating=5, text=f"thanks, {NAME}"))
    wrong = {"signin_id": town.made.signin_id("Ana"), "password": f"not {PASSWORD}"}
    assert client.post("/engineer/v1/signin", json=wrong).status_code == 401
    client.get(f"/nowhere/{PHONE}?phone={PHONE}")
    bearers = [held["Authorization"].split()[1] for held in town._tokens.values()]
    return [NAME, PHONE, PHONE[3:], STREET, DOOR, PASSWORD, link.rsplit("/", 1)[1], town.made.key,
            town.made.signin_id("Ana"), *bearers]  # fmt: skip


def bug(product: Product, monkeypatch: pytest.MonkeyPatch, town: Town) -> None:
    """An endpoint and a job that fail with somebody's phone in the error's text."""

    def fails(*_: Any, **__: Any) -> Any:
        raise ValueError(f"cannot call {NAME} at {PHONE}")

    monkeypatch.setattr("api.dispatcher.operations.read_operations", fails)
    reply = product.client.get("/dispatcher/v1/operations", headers=town.board("Ada"))
    assert reply.status_code == 500
    monkeypatch.setitem(JOBS, "match_ticket", fails)
    about = {
        "tenant": str(town.made.tenant_id),
        "subject": str(UUID(int=1)),
        "ticket": None,
        "seq": 1,
        "depth": 0,
    }
    with pytest.raises(ValueError):
        worker.run_job(None, "match_ticket", about)  # type: ignore[arg-type]  # it fails before it needs parts
    logging.getLogger("a.library").warning("retrying", exc_info=ValueError(f"{PHONE}"))


def leaked(written: io.StringIO, words: list[str]) -> list[str]:
    return [word for word in words if word in written.getvalue()]


def test_a_days_logs_hold_no_name_phone_address_password_or_token(
    town: Town, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = story(town)
    bug(town.product, monkeypatch, town)
    found = entries(lines)
    assert leaked(lines, words) == []
    operations = {one["operation"] for one in found if one["event"] == "request"}
    assert {"integration_create_ticket", "engineer_action", "none"} <= operations
    assert all({"time", "level", "event", "process", "pid"} <= set(one) for one in found)
    request = next(one for one in found if one.get("operation") == "engineer_action")
    assert request["tenant"] == str(town.made.tenant_id)
    assert request["route"] == "/engineer/v1/actions"
    assert request["ms"] > 0
    failed = next(one for one in found if one.get("error") == "ValueError" and one["event"] == "unexpected")
    assert any("fails" in frame for frame in failed["where"])
    assert len(_BUG.findall(lines.getvalue().encode())) == 1, "the demo's report counts by these words"
    assert {"done", "failed"} <= {one["outcome"] for one in found if one["event"] == "job"}


@pytest.mark.parametrize("sabotage", ["paths", "errors"])
def test_a_log_that_quotes_paths_or_errors_is_caught(
    town: Town, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch, sabotage: str
) -> None:
    if sabotage == "errors":
        logging.getLogger().handlers[0].setFormatter(logging.Formatter())
    else:
        before = metrics.Counted.__call__

        async def with_path(self: Any, scope: Any, receive: Any, send: Any) -> None:
            await before(self, scope, receive, send)
            entry("request", path=scope.get("path"))

        monkeypatch.setattr(metrics.Counted, "__call__", with_path)
    words = story(town)
    bug(town.product, monkeypatch, town)
    assert leaked(lines, words) != []


def test_a_callers_trace_goes_through_the_request_its_jobs_and_calls(town: Town, lines: io.StringIO) -> None:
    headers = {**town.key, "traceparent": PARENT}
    reply = town.product.client.post("/api/v1/tickets", json=new_ticket("survey"), headers=headers)
    assert reply.status_code == 201
    assert reply.headers["x-trace-id"] == TRACE_ID
    assert trace_in(reply.headers["traceparent"]) == TRACE_ID
    assert reply.headers["traceparent"] != PARENT
    waiting = town.product.rows("select trace from outbox where tenant_id = %(tenant)s", town.made.tenant_id)
    assert {row["trace"] for row in waiting} == {TRACE_ID}
    town.settle()
    jobs = [one for one in entries(lines) if one["event"] == "job" and one["trace"] == TRACE_ID]
    assert "match_ticket" in {one["job"] for one in jobs}
    refusal = town.product.client.get("/engineer/v1/today", headers={"traceparent": PARENT})
    assert refusal.json()["trace_id"] == TRACE_ID


@pytest.mark.parametrize(
    "header",
    ["", "00", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE_ID}-{'0' * 16}-01", f"ff{PARENT[2:]}",
     PARENT.upper(), f"{PARENT}-more", "00-' or 1=1 --", PARENT[:-1]],
)  # fmt: skip
def test_what_is_no_traceparent_begins_a_trace_of_its_own(header: str) -> None:
    assert trace_in(header) is None


def test_traces_are_new_each_time_and_later_versions_are_read() -> None:
    assert new_trace() != new_trace()
    assert trace_in(traceparent(TRACE_ID)) == TRACE_ID
    assert trace_in(f"01{PARENT[2:]}-more") == TRACE_ID


def test_an_error_is_told_by_its_classes_and_places() -> None:
    try:
        try:
            raise KeyError(PHONE)
        except KeyError as error:
            raise RuntimeError(NAME) from error
    except RuntimeError as error:
        names, frames = told(error)
    assert names == "RuntimeError < KeyError"
    assert "test_an_error_is_told_by_its_classes_and_places" in frames[-1]


def test_a_process_writes_json_even_for_what_nobody_caught() -> None:
    code = (
        "from dispatch.adapters.logs import set_up; set_up('probe'); import threading; "
        f"t = threading.Thread(target=lambda: {{}}['{PHONE}']); t.start(); t.join(); raise ValueError('{NAME}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert [one["error"] for one in found] == ["KeyError", "ValueError"]
    assert PHONE not in done.stderr
    assert NAME not in done.stderr
