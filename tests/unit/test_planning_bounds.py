"""The kernels run as plain Python, where an index outside an array is an error, and find what they find compiled.

Compiled they look nowhere before they write: an index too far is another number spoilt, or the process gone.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from dispatch.planning import reasons
from dispatch.planning.compile import compile_day
from dispatch.planning.outcome import settled_draft
from dispatch.planning.reasons import explain_assignments, explain_unassigned
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, search_day
from tests.planning_days import FEATURES, random_day

DAYS = 60
LIMIT_S = 240
ROOT = Path(__file__).parents[2]


def walked_through(days: int) -> list[str]:
    """Search and every reason of some random days of mixed features, in a few words each."""
    words = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(days):
            features = {name for name in FEATURES if random.Random(f"{seed} {name}").random() < 0.35}
            document = random_day(Path(folder), seed, features, tickets=8, team=3)
            day = compile_day(scenario_from_document(document, Path(folder)))
            found = search_day(day, Effort(iterations=25, seed=seed))
            draft = settled_draft(day, found.routes)
            told = [(one.ticket, one.fixes) for one in explain_unassigned(day, draft)]
            words.append(json.dumps([found.score, found.routes, told, explain_assignments(day, draft)]))
    return words


def as_plain_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.unit.test_planning_bounds", *arguments],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_no_kernel_leaves_its_arrays_and_plain_python_finds_the_same() -> None:
    plain = as_plain_python()
    assert plain.returncode == 0, plain.stderr[-2000:]
    assert plain.stdout.splitlines() == walked_through(DAYS)


def test_a_memory_too_small_is_seen() -> None:
    plain = as_plain_python("sabotaged")
    assert plain.returncode != 0
    assert "IndexError" in plain.stderr


def forget_the_room() -> None:
    """The planned day's memory gets rows for engineers and none for the tickets it is asked about."""
    whole = reasons.settled_draft
    reasons.settled_draft = lambda day, routes: _cut(whole(day, routes))


def _cut(draft):  # type: ignore[no-untyped-def]
    return draft._replace(memo=np.zeros((0, *draft.memo.shape[1:])))


if __name__ == "__main__":
    if sys.argv[1:]:
        forget_the_room()
    sys.stdout.writelines(f"{line}\n" for line in walked_through(DAYS))
