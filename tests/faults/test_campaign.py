"""A thousand operations with eight kills; and three guarantees taken away, each of which must be seen."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaign.bench_faults import campaign
from tests.campaign.faults import TARGETS

pytestmark = pytest.mark.alone


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may enter, with a short path for its socket."""
    with tempfile.TemporaryDirectory(prefix="pf-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(state: Path) -> None:
    outcome = campaign(state, operations=1000, kills=8)
    assert set(outcome.kills) == set(TARGETS)
    assert outcome.acknowledged > 500
    assert outcome.green, outcome.as_json()


def test_commits_that_do_not_wait_for_the_disk_are_seen(state: Path) -> None:
    """Each kill of PostgreSQL costs one or two of the last answers, as its log writer leaves few behind."""
    lazy = {"synchronous_commit": "off", "wal_writer_delay": "10s"}
    outcome = campaign(state, operations=500, kills=15, settings=lazy, targets=("postgres",))
    assert outcome.lost > 0 or outcome.audit_breaks > 0, outcome.as_json()


def test_a_dropped_unique_key_is_seen(state: Path) -> None:
    sql = "alter table commands drop constraint pk_commands"
    outcome = campaign(state, operations=400, kills=2, sql=sql)
    assert outcome.doubled > 0, outcome.as_json()


def test_an_answer_stored_apart_from_its_command_is_seen(state: Path) -> None:
    server = ("-m", "tests.campaign.sabotaged_server")
    outcome = campaign(state, operations=300, kills=8, server=server)
    assert outcome.doubled > 0, outcome.as_json()
