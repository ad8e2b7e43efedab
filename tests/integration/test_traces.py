"""Spans: a request, the jobs that follow and the calls they make are one trace, each within what it came from; what
is not wanted is not even loaded."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.command_line.fake_fcm import write_service_account
from dispatch.adapters.channel import Channel
from dispatch.adapters.group_bots import DingTalkChannel, FeishuChannel
from dispatch.adapters.mail import MailChannel
from dispatch.adapters.outside import OutsideClient
from dispatch.adapters.push import PushMessage
from dispatch.adapters.push_firebase import FirebasePushSender
from dispatch.adapters.sms import HttpSms, SmsChannel
from dispatch.adapters.spans import WAITING_MOST, Collector
from dispatch.adapters.wecom import WeComChannel
from dispatch.domain.tracing import SPAN, TRACE, Span, span, span_in, spans_to, trace_in, traceparent
from tests.builders import new_ticket
from tests.fakes import tell_services as fake
from tests.house import Town
from tests.integration.test_channels import ACCOUNT, NOW, message

TRACE_ID, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE_ID}-{CALLER}-01"


@pytest.fixture
def told() -> Iterator[list[Span]]:
    """Every span that ends meanwhile."""
    found: list[Span] = []
    spans_to(found.append)
    yield found
    spans_to(None)


@pytest.fixture
def traced() -> Iterator[None]:
    before = TRACE.set(TRACE_ID)
    yield
    TRACE.reset(before)


def test_a_request_and_its_jobs_are_one_trace(town: Town, told: list[Span]) -> None:
    reply = town.product.client.post(
        "/api/v1/tickets", json=new_ticket("survey"), headers={**town.key, "traceparent": PARENT}
    )
    assert reply.status_code == 201
    (request,) = [one for one in told if one.kind == "server"]
    assert (request.trace, request.parent, request.name) == (TRACE_ID, CALLER, "POST /api/v1/tickets")
    assert request.said == {"http.response.status_code": 201}
    assert 0 < request.ended_ns - request.began_ns < 60e9
    assert span_in(reply.headers["traceparent"]) == request.span
    town.settle()
    jobs = [one for one in told if one.kind == "consumer" and one.trace == TRACE_ID]
    assert "job match_ticket" in {one.name for one in jobs}
    caused = [one for one in jobs if one.parent == request.span]
    assert {"job match_ticket", "job keep_promises"} <= {one.name for one in caused}
    known = {one.span for one in told}
    assert {one.parent for one in jobs} <= known
    assert not any(one.failed for one in told)
    link = reply.json()["customer_link"]
    town.product.client.get(link)
    assert told[-1].name == "GET /c/{token}"
    assert link.rsplit("/", 1)[1] not in repr(told)


CHANNELS: dict[str, tuple[Any, Callable[[str], Channel], str]] = {
    "wecom": (fake.wecom, lambda url: WeComChannel(ACCOUNT, NOW, url), "ana"),
    "dingtalk": (fake.dingtalk, lambda url: DingTalkChannel(NOW, url), "bot\nSEC1"),
    "feishu": (fake.feishu, lambda url: FeishuChannel(NOW, url), "bot\nSEC2"),
    "sms": (fake.gateway, lambda url: SmsChannel(HttpSms(url, "token"), NOW), "13900001234"),
}


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("kind", CHANNELS)
def test_a_provider_is_told_the_trace_by_every_call(kind: str, wanted: bool, traced: None) -> None:
    """With spans it continues the call's own; without, it is the trace alone and nothing is kept."""
    judge, make, target = CHANNELS[kind]
    heads: list[str] = []
    found: list[Span] = []
    spans_to(found.append if wanted else None)

    def recording(service: fake.Service, asked: fake.Asked) -> Any:
        heads.append(asked.headers.get("traceparent", ""))
        return judge(service, asked)

    try:
        with fake.running(recording) as service, span("job x", "consumer"):
            assert make(service.url).send(message(target)).outcome == "accepted"
            (job,) = [SPAN.get()]
    finally:
        spans_to(None)
    assert [trace_in(head) for head in heads] == [TRACE_ID] * len(heads)
    assert heads
    calls = [one for one in found if one.kind == "client"]
    assert [one.span for one in calls] == ([span_in(head) for head in heads] if wanted else [])
    assert {one.parent for one in calls} <= {job}
    assert {one.said["http.response.status_code"] for one in calls} <= {200, 202}
    assert "bot" not in repr(found)


def test_pushes_letters_and_strangers_addresses_are_told_it_too(
    traced: None, told: list[Span], tmp_path: Path
) -> None:
    heads: dict[str, list[str]] = {}

    def answers(service: fake.Service, asked: fake.Asked) -> Any:
        heads.setdefault(asked.path.rsplit("/", 1)[1], []).append(asked.headers.get("traceparent", ""))
        return 200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer", "name": "m/1"}, {}

    with fake.running(answers) as service:
        account = tmp_path / "account.json"
        write_service_account(account, int(service.url.rsplit(":", 1)[1]))
        sender = FirebasePushSender(json.loads(account.read_text()), NOW, service.url)
        until = NOW() + timedelta(minutes=2)
        results = sender.send([PushMessage(f"phone-{n}", {"v": "1"}, until, "k") for n in range(3)])
        assert [result.outcome for result in results] == ["accepted"] * 3
        sender.close()
        OutsideClient({"127.0.0.1"}).post(f"{service.url}/hook", b"{}", {}, 5)
    assert [trace_in(head) for head in heads["messages:send"]] == [TRACE_ID] * 3
    assert trace_in(heads["hook"][0]) == TRACE_ID
    assert len({span_in(head) for head in (*heads["messages:send"], *heads["hook"])}) == 4
    with fake.running_mail() as server:
        MailChannel(server.url, "paidan@a.example", NOW).send(message("chen@b.example"))
        assert f"X-Trace-Id: {TRACE_ID}" in server.accepted[0][1]
    assert {one.name for one in told if one.kind == "client"} >= {"POST 127.0.0.1", "SMTP"}


def a_call_that_fails() -> None:
    with span("job x", "consumer", parent=""), span("GET idp.example", "client") as one:
        assert one is not None
        one.said["http.response.status_code"] = 502
        raise ValueError


def test_a_collector_gets_spans_as_its_protocol_says_and_one_that_is_away_holds_up_nothing(
    traced: None,
) -> None:
    bodies: list[Any] = []

    def collects(service: fake.Service, asked: fake.Asked) -> Any:
        bodies.append((asked.path, asked.json()))
        return 200, {}, {}

    away = Collector("http://127.0.0.1:1", "worker")
    with fake.running(collects) as service:
        collector = Collector(service.url, "worker")
        spans_to(collector._waiting.append)
        with pytest.raises(ValueError):
            a_call_that_fails()
        collector.send_now()
        spans_to(away._waiting.append)
        for _ in range(WAITING_MOST + 5):
            with span("job y", "consumer"):
                pass
        spans_to(None)
    ((path, body),) = bodies
    assert path == "/v1/traces"
    (resource,) = body["resourceSpans"]
    said = {"key": "service.name", "value": {"stringValue": "paidan-worker"}}
    assert resource["resource"]["attributes"] == [said]
    call, job = resource["scopeSpans"][0]["spans"]
    assert (call["traceId"], call["parentSpanId"], call["kind"]) == (TRACE_ID, job["spanId"], 3)
    assert (job["parentSpanId"], job["kind"], job["status"]) == ("", 5, {"code": 2})
    assert call["attributes"] == [{"key": "http.response.status_code", "value": {"intValue": "502"}}]
    assert int(call["endTimeUnixNano"]) >= int(call["startTimeUnixNano"]) > 1e18
    assert len(away._waiting) == WAITING_MOST
    away.send_now()
    assert len(away._waiting) == WAITING_MOST - 512


def test_where_nobody_wants_spans_nothing_of_them_is_loaded_or_kept(traced: None) -> None:
    code = "import sys, api.app, jobs.worker; sys.exit('dispatch.adapters.spans' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0
    with span("job x", "consumer") as one:
        assert (one, SPAN.get()) == (None, "")
        assert trace_in(traceparent(TRACE_ID)) == TRACE_ID
