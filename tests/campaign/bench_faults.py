"""`./paidan bench faults`: ten thousand operations with fifty kills; figures as JSON."""

import json
import tempfile
from pathlib import Path
from typing import Any

from api.command_line.cluster import Cluster
from tests.campaign.faults import TARGETS, Campaign, Outcome
from tests.databases import Database, migrate
from tests.running import Running

#: A kill loses nothing that reached the kernel: fsync matters to power cuts, which no process can make.
CLUSTER = {"fsync": "off", "full_page_writes": "off", "max_connections": "100"}


def campaign(
    state: Path,
    operations: int,
    kills: int,
    seed: int = 1,
    sql: str = "",
    server: tuple[str, ...] = ("-m", "api.server"),
    settings: dict[str, str] | None = None,
    targets: tuple[str, ...] = TARGETS,
) -> Outcome:
    """A campaign over a cluster of its own under `state`, with more `settings` of PostgreSQL where given.

    `sql` is run as superuser before it begins; `targets` are the processes that are killed.
    """
    with Cluster(state / "cluster", CLUSTER | (settings or {})).in_use() as cluster:
        cluster.ensure_database("paidan_faults")
        database = Database.of(cluster, "paidan_faults")
        migrate(database)
        if sql:
            with cluster.connect("paidan_faults") as db:
                db.execute(sql)
        (state / "product").mkdir(exist_ok=True)
        with Running(database, state / "product", server=server) as running:
            return Campaign(cluster, database, running, state / "ledger.jsonl", seed).run(
                operations, kills, targets
            )


def run(source: Path | None, seconds: float | None, results: Path) -> dict[str, Any]:
    """The whole campaign; `source` and `seconds` do not apply."""
    with tempfile.TemporaryDirectory(prefix="paidan-faults-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        outcome = campaign(Path(folder), 10_000, 50)
    print(json.dumps(outcome.as_json(), indent=1))
    bad = outcome.lost + outcome.doubled + outcome.unanswered
    return {
        "instances": [{"name": "faults", "value": bad, "best": 0, "gap": bad, "seconds": outcome.seconds}],
        "figures": outcome.as_json(),
    }
