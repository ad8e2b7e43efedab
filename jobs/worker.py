"""`python -m jobs.worker`: runs the jobs. As many of these as wanted, on as many hosts."""

import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from dispatch.actions.reacting import idle_jobs
from dispatch.actions.step import House
from dispatch.actions.telling_book import ChannelBook
from dispatch.adapters.channel import Channel
from dispatch.adapters.logs import entry, set_up
from dispatch.adapters.mail import MailChannel
from dispatch.adapters.outside import OutsideClient
from dispatch.adapters.push import PushSender
from dispatch.adapters.push_firebase import FCM_URL, FirebasePushSender
from dispatch.adapters.queue import run_worker
from dispatch.adapters.roads import RoadTimes
from dispatch.adapters.sms import HttpSms, KeptSms, SmsChannel
from dispatch.adapters.voice import HttpVoice, VoiceChannel
from dispatch.adapters.webpush import WebPushChannel
from dispatch.domain.errors import DispatchError
from dispatch.domain.tracing import TRACE, new_trace, span
from dispatch.settings import Settings, read_settings
from dispatch.store.personal import PersonalData
from dispatch.store.transactions import Database
from jobs import automations, keeping, matching, promises, telling, telling_channels, telling_webhooks, visits
from jobs.registry import JOBS, About, Wired

#: Jobs come in bursts, as when hundreds of offers run out at once, and nobody looks at a screen for one of them: where
#: processors are short, the answers to people go first. A job still gets its share, about a third of an api's.
NICE = 5
MODULES = (automations, keeping, matching, promises, telling, telling_channels, telling_webhooks, visits)


def wire(settings: Settings) -> Wired:
    """The worker's parts, from settings."""
    database = Database(settings.database_url, settings.worker_concurrency, "paidan-worker")
    roads = RoadTimes(settings.roads_dir)
    house = House(
        database, settings.clock.now, PersonalData(settings.data_key, *settings.previous_data_keys), roads
    )
    return Wired(
        house,
        push_sender(settings),
        channel_book(settings),
        settings.public_url,
        OutsideClient(settings.webhook_test_hosts),
    )


def push_sender(settings: Settings) -> PushSender | None:
    """Firebase where a service account is configured; otherwise phones pull and nothing is pushed."""
    if not settings.fcm_service_account:
        return None
    account = json.loads(Path(settings.fcm_service_account).read_text())
    return FirebasePushSender(account, settings.clock.now, settings.fcm_url or FCM_URL)


def channel_book(settings: Settings) -> ChannelBook:
    """The installation's own channels; companies add theirs. The demo keeps texts and calls to itself."""
    now = settings.clock.now
    fixed: dict[str, Channel] = {}
    if settings.sms_url or settings.demo:
        sender = HttpSms(settings.sms_url, settings.sms_token) if settings.sms_url else KeptSms()
        fixed["sms"] = SmsChannel(sender, now)
    if settings.voice_url:
        fixed["voice"] = VoiceChannel(HttpVoice(settings.voice_url, settings.voice_token), now)
    if settings.mail_url:
        fixed["mail"] = MailChannel(settings.mail_url, settings.mail_from, now)
    if settings.vapid_key:
        outside = OutsideClient(settings.webhook_test_hosts)
        contact = f"mailto:{settings.mail_from}" if settings.mail_from else settings.public_url
        fixed["webpush"] = WebPushChannel(settings.vapid_key, contact, settings.clock.wall, outside)
    return ChannelBook(now, fixed)


def run_job(wired: Wired, name: str, arguments: Mapping[str, Any]) -> None:
    """One job. A refusal means that it is no longer true, and is no failure."""
    TRACE.set(arguments.get("trace") or new_trace())
    began, outcome = time.monotonic(), "failed"
    try:
        with span(f"job {name}", "consumer", parent=arguments.get("span") or "") as told:
            outcome = _run(wired, name, arguments)
            if told is not None:
                told.said |= {"paidan.outcome": outcome, "paidan.tenant": str(arguments.get("tenant"))}
    finally:
        entry(
            "job",
            logging.INFO if outcome != "failed" else logging.WARNING,
            job=name,
            tenant=arguments.get("tenant"),
            seq=arguments.get("seq"),
            outcome=outcome,
            ms=round((time.monotonic() - began) * 1000, 1),
        )


def _run(wired: Wired, name: str, arguments: Mapping[str, Any]) -> str:
    """`done`, or the code of the refusal."""
    about = About(
        tenant_id=UUID(arguments["tenant"]),
        subject_id=UUID(arguments["subject"]),
        ticket_id=UUID(arguments["ticket"] or arguments["subject"]),
        seq=int(arguments["seq"]),
        depth=int(arguments["depth"]),
    )
    try:
        JOBS[name](wired, about)
    except DispatchError as refusal:
        return refusal.code
    return "done"


def main() -> None:
    os.nice(NICE)
    settings = read_settings()
    set_up("worker", settings.log_level)
    if settings.otlp_url:
        from dispatch.adapters.spans import Collector

        Collector(settings.otlp_url, "worker").start()
    wired = wire(settings)
    entry("worker_starts", jobs=len(JOBS))
    run_worker(
        settings.database_url,
        JOBS,
        lambda name, arguments: run_job(wired, name, arguments),
        settings.worker_concurrency,
        lambda about: idle_jobs(wired.house.database, UUID(about["tenant"]), int(about["seq"])),
    )


if __name__ == "__main__":
    main()
