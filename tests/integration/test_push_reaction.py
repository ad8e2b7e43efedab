"""An offer reaches the phone: event, relay, job, the real firebase-admin, a push service that checks."""

import json
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from dispatch.adapters.push_firebase import FirebasePushSender
from dispatch.store.ids import new_id
from jobs.registry import JOBS, Wired
from jobs.relay import Relay
from mobile_contract.push import PushPayload
from tests.builders import new_ticket
from tests.fakes.push_service import PushService, running_push_service
from tests.house import Town, do_job, ok


def settle_with(town: Town, sender: FirebasePushSender) -> None:
    product = town.product
    relay = Relay(product.settings)
    for _ in range(10):
        with psycopg.connect(product.settings.database_relay_url, row_factory=dict_row) as db:
            relay.relay_once(db, product.clock.now())
            jobs = db.execute(
                "delete from procrastinate_jobs where status = 'todo' returning task_name, args"
            ).fetchall()
        for job in jobs:
            if job["args"]["tenant"] == str(town.made.tenant_id):
                do_job(Wired(product.house, sender), job)


def sender_to(service: PushService, town: Town) -> FirebasePushSender:
    account = json.loads(service.account_path.read_text())
    return FirebasePushSender(account, town.product.clock.now, service.url)


def register(town: Town, name: str, target: str) -> None:
    reply = town.product.client.put(
        "/engineer/v1/push_target", json={"platform": "fcm", "target": target}, headers=town.phone(name)
    )
    assert reply.status_code == 204


def test_an_offer_is_pushed_once_and_carries_nothing_personal(town: Town, tmp_path: Path) -> None:
    assert "push_offers" in JOBS
    register(town, "Ana", "ana-phone")
    with running_push_service(tmp_path) as service:
        sender = sender_to(service, town)
        made = town.create(new_ticket())
        settle_with(town, sender)
        settle_with(town, sender)
        (message,) = [m for m in service.log() if m["token"] == "ana-phone"]
    data = message["message"]["data"]
    payload = PushPayload.from_data(data)
    assert (payload.type, str(payload.ticket_id)) == ("offer", made["ticket_id"])
    for secret in ("Chen", "1390000", "3-201", "示例路"):
        assert secret not in json.dumps(message, ensure_ascii=False)


def test_an_answer_to_a_request_is_pushed_to_who_asked_and_to_nobody_else(town: Town, tmp_path: Path) -> None:
    register(town, "Ana", "ana-phone")
    register(town, "Ben", "ben-phone")
    client, now = town.product.client, town.product.clock.now()
    leave = {"kind": "leave", "starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=4)).isoformat()}
    asked = client.post(
        "/engineer/v1/requests", json={"command_id": str(new_id()), **leave}, headers=town.phone("Ana")
    ).json()
    with running_push_service(tmp_path) as service:
        sender = sender_to(service, town)
        settle_with(town, sender)
        assert service.log() == []
        url = f"/dispatcher/v1/requests/{asked['request_id']}/answer"
        body = {"command_id": str(new_id()), "verdict": "refuse"}
        ok(client.post(url, json=body, headers=town.board()))
        settle_with(town, sender)
        settle_with(town, sender)
        (message,) = service.log()
    payload = PushPayload.from_data(message["message"]["data"])
    assert (message["token"], payload.type, str(payload.request_id)) == (
        "ana-phone",
        "request_answered",
        asked["request_id"],
    )
    assert payload.ticket_id is None


def test_every_push_of_an_assignment_is_one_by_the_contract(town: Town, tmp_path: Path) -> None:
    register(town, "Ana", "ana-phone")
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    with running_push_service(tmp_path) as service:
        sender = sender_to(service, town)
        settle_with(town, sender)
        town.assign_by_hand(ticket_id, "Ana")
        settle_with(town, sender)
        kinds = {PushPayload.from_data(each["message"]["data"]).type for each in service.log()}
    assert "assigned" in kinds


def test_a_device_that_is_gone_is_not_told_again(town: Town, tmp_path: Path) -> None:
    register(town, "Ana", "gone:ana")
    with running_push_service(tmp_path) as service:
        sender = sender_to(service, town)
        town.create(new_ticket())
        settle_with(town, sender)
    rows = town.product.rows(
        "select gone_at is not null as gone from push_targets where tenant_id = %(tenant)s",
        town.made.tenant_id,
    )
    assert rows == [{"gone": True}]


def runnable(town: Town, ticket_id: str) -> set[str]:
    """Names of the ticket's jobs that a worker could take while its push hangs, by the queue's own rule."""
    with psycopg.connect(town.product.database.superuser_url) as db:
        hanging = "update procrastinate_jobs set status = %s where task_name = 'push_offers' and args ->> 'ticket' = %s"
        db.execute(hanging, ["doing", ticket_id])
        worker = db.execute("select procrastinate_register_worker_v1()").fetchone()
        found = set()
        while row := db.execute(
            "select (job).task_name, (job).args ->> 'ticket', (job).args -> 'names' "
            "from procrastinate_fetch_job_v2(null, %s) job",
            worker,
        ).fetchone():
            if row[0] is None:
                break
            if row[1] == ticket_id:
                found |= set(row[2] or [row[0]])
            db.execute(
                "update procrastinate_jobs set status = 'succeeded' where status = 'doing' and worker_id = %s",
                worker,
            )
        db.rollback()
    return found


def test_a_push_service_that_hangs_holds_up_no_ladder(town: Town) -> None:
    """And the sabotage: with one lock for all of a ticket's jobs it would, until the offer has run out."""
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    town.settle()
    town.direct(ticket_id, "offer", engineer_ids=[str(town.made.engineers["Ana"])])
    relay = Relay(town.product.settings)
    with psycopg.connect(town.product.settings.database_relay_url, row_factory=dict_row) as db:
        relay.relay_once(db, town.product.clock.now())
    assert {"start_ladders", "queue_webhooks"} <= runnable(town, ticket_id)
    town.product.rows(
        "update procrastinate_jobs set lock = %(id)s where args ->> 'ticket' = %(id)s returning id",
        id=ticket_id,
    )
    assert "start_ladders" not in runnable(town, ticket_id)
