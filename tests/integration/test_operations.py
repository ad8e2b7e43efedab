"""What an operator sees: figures for Prometheus behind a token, queues and devices, phones in a doubtful datum."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.metrics import Counted
from dispatch.actions.step import run_step
from dispatch.actions.travelling import learn
from dispatch.domain.alarms import ALARMS
from dispatch.domain.commands import system
from geo.datum import from_wgs84
from tests.builders import SITE, new_ticket
from tests.databases import Database
from tests.house import Product, Town

TOKEN = "a token for the scraper"


@pytest.fixture(scope="module")
def scraped(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product that has a metrics token."""
    made = Product(database, tmp_path_factory.mktemp("metrics"))
    rooms = made.app.state.rooms
    rooms.settings = replace(rooms.settings, metrics_token=TOKEN)
    yield made
    made.close()


def scrape(product: Product, token: str = TOKEN) -> Any:
    return product.client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def figures(text: str) -> dict[str, float]:
    """Every sample line of the exposition format; anything else but a comment is an error."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            continue
        sample = re.fullmatch(r'(paidan_\w+(?:\{(?:\w+="[^"\\]*",?)+\})?) (-?[\d.]+)', line)
        assert sample, line
        assert sample[1] not in found, line
        found[sample[1]] = float(sample[2])
    return found


def test_metrics_count_requests_by_operation_and_status_and_show_the_queues(scraped: Product) -> None:
    town = scraped.company()
    town.create(new_ticket())
    scraped.client.get("/engineer/v1/today")
    counted = next(m for m in walk(scraped.client.app) if isinstance(m, Counted))
    counted.write()
    found = figures(scrape(scraped).text)
    assert found['paidan_requests_total{operation="integration_create_ticket",status="201"}'] >= 1
    assert found['paidan_requests_total{operation="engineer_today",status="401"}'] >= 1
    assert found["paidan_database_up"] == 1
    assert found["paidan_outbox_rows"] >= 1
    assert found['paidan_shed_total{kind="read"}'] == 0
    assert found["paidan_workers"] == found["paidan_relays"] == 0
    assert 0 < found["paidan_disk_free_ratio"] < 1
    for name in {name for alarm in ALARMS for name in re.findall(r"paidan_\w+", alarm.prometheus or "")}:
        known = {key.partition("{")[0] for key in found}
        assert name in known | {"paidan_roads_up"}, name  # roads: only where some are imported
    assert (
        found['paidan_request_seconds_bucket{operation="integration_create_ticket",le="+Inf"}']
        == found['paidan_request_seconds_count{operation="integration_create_ticket"}']
    )


def walk(app: Any) -> Iterator[Any]:
    """The middlewares, outermost first."""
    here = app.middleware_stack
    while here is not None:
        yield here
        here = getattr(here, "app", None)


def test_metrics_are_nobodys_without_the_token(scraped: Product, product: Product) -> None:
    for reply in (
        scrape(scraped, "wrong"),
        scrape(scraped, ""),
        scrape(product),
        product.client.get("/metrics"),
    ):
        assert reply.status_code == 404
        assert reply.json()["code"] == "not_found"


def test_a_dead_process_keeps_its_counts(tmp_path: Path) -> None:
    async def nothing(*_: Any) -> None: ...

    for _ in range(2):
        one = Counted(nothing, tmp_path)
        one.count("engineer_today", 200, 0.003)
        one.count("shed_read", 503, 0.001)
        one.write()
    from api.metrics import _requests

    assert 'paidan_requests_total{operation="engineer_today",status="200"} 2' in list(_requests(tmp_path))
    assert 'paidan_shed_total{kind="read"} 2' in list(_requests(tmp_path))


def test_metrics_say_that_the_database_is_away(scraped: Product) -> None:
    rooms = scraped.app.state.rooms
    before = rooms.settings
    rooms.settings = replace(
        before, database_relay_url="postgresql://paidan_relay@/nowhere?host=/nonexistent"
    )
    try:
        assert figures(scrape(scraped).text)["paidan_database_up"] == 0
    finally:
        rooms.settings = before


def test_the_operators_page_is_for_admins_and_names_queues_and_devices(town: Town) -> None:
    url = "/dispatcher/v1/operations"
    assert town.product.client.get(url, headers=town.board("Dora")).status_code == 403
    found = town.product.client.get(url, headers=town.board("Ada")).json()
    assert {d["name"] for d in found["devices"]} == {"Ana", "Ben", "Eve"}
    assert all(d["on_shift"] for d in found["devices"])
    assert found["queues"]["failed"] == 0
    assert found["datum_warnings"] == []
    assert found["backup"] is None
    assert found["disk"]["total_bytes"] > found["disk"]["free_bytes"] > 0
    assert found["roads"] == {"status": "none", "imported_at": None}
    assert found["versions"]["migration"] == found["versions"]["migration_known"]
    assert (found["workers"], found["relays"]) == (0, 0)
    assert {"no_relay", "no_worker", "backup_old"} <= set(found["alarms"])
    (town.product.settings.state / "last-backup").write_text('{"tickets": 3, "bytes": 10, "missing": 0}')
    kept = town.product.client.get(url, headers=town.board("Ada")).json()
    assert kept["last_backup_at"] == kept["backup"]["made_at"] is not None
    assert (kept["backup"]["tickets"], kept["backup"]["verified_at"]) == (3, None)
    assert "backup_old" not in kept["alarms"]
    assert "backup_unverified" in kept["alarms"]


def test_the_operators_page_names_what_waits_since_when_and_which_phones_are_not_reached(town: Town) -> None:
    product, tenant = town.product, town.made.tenant_id
    town.phone("Ana")
    town.create(new_ticket("survey"))
    product.rows(
        "with t as (insert into push_targets (tenant_id, id, engineer_id, platform, target, created_at) values "
        "(%(tenant)s, gen_random_uuid(), %(ana)s, 'fcm', %(text)s, now()) returning id) "
        "insert into push_deliveries (tenant_id, seq, subject_id, target_id, outcome, at) "
        "select %(tenant)s, 1, gen_random_uuid(), id, 'refused', %(now)s from t returning 1",
        tenant,
        now=product.clock.now(),
        ana=town.made.engineers["Ana"],
        text=f"phone of {tenant}",
    )
    product.rows(
        "with j as (insert into procrastinate_jobs (queue_name, task_name, args) values "
        "('default', 'match_ticket', jsonb_build_object('tenant', %(text)s::text)) returning id) "
        "update procrastinate_events e set at = now() - interval '5 minutes' from j where e.job_id = j.id returning 1",
        text=str(tenant),
    )
    product.rows(
        "update procrastinate_events set at = now() - interval '5 minutes' where job_id = (select max(id) from "
        "procrastinate_jobs where args ->> 'tenant' = %(text)s) returning 1",
        text=str(tenant),
    )
    product.clock.move(seconds=90)
    found = product.client.get("/dispatcher/v1/operations", headers=town.board("Ada")).json()
    product.clock.move(seconds=-90)
    assert found["queues"]["oldest_outbox_s"] >= 90
    assert found["queues"]["oldest_job_s"] >= 300
    assert "jobs_late" in found["alarms"]
    ana = next(d for d in found["devices"] if d["name"] == "Ana")
    assert (ana["push_targets"], ana["push_failed"]) == (1, 1)
    assert ana["seen_at"] is not None
    product.rows(
        "delete from procrastinate_jobs where args ->> 'tenant' = %(text)s returning 1", text=str(tenant)
    )


class StreetsEvery500Metres:
    """Roads as a grid: how far a place lies from the nearest line of it."""

    def metres_to_road(self, places: list[tuple[float, float]]) -> list[float]:
        lon, lat = np.array(places).T
        east, north = (lon - SITE.lon) * 90_000, (lat - SITE.lat) * 111_000
        away = [np.abs(v - 500 * np.round(v / 500)) for v in (east, north)]
        return [float(m) for m in np.minimum(*away)]


@pytest.mark.parametrize(("truth", "doubted"), [("gcj02", True), ("wgs84", False)])
def test_a_phone_that_names_the_wrong_datum_is_shown_to_the_operator(
    town: Town, truth: Any, doubted: bool
) -> None:
    """Sixty readings along a street, sent by the phone as WGS-84 whatever they are."""
    product = town.product
    along = np.linspace(0, 5000, 60) / 90_000
    lon, lat = from_wgs84(SITE.lon + along, np.full(60, SITE.lat), truth)
    now = product.clock.now()
    told = [
        town.at_site(lon=x, lat=y, at=(now - timedelta(seconds=600 - n)).isoformat())
        for n, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))
    ]
    reply = product.client.post("/engineer/v1/positions", json={"positions": told}, headers=town.phone("Ana"))
    assert reply.json()["taken"] == 60, reply.text
    house: Any = replace(product.house, roads=StreetsEvery500Metres())
    run_step(house, system(town.made.tenant_id), learn)
    found = product.client.get("/dispatcher/v1/operations", headers=town.board("Ada")).json()[
        "datum_warnings"
    ]
    assert [(w["name"], w["declared"], w["fits"]) for w in found] == (
        [("Ana", "wgs84", "gcj02")] if doubted else []
    )
