"""The demo city's files, made once for all tests of a run: it takes seconds of a core."""

import fcntl
import os

import pytest

from api.command_line import demo_city
from geo.demo_city.make import City, city_in


def shared_city(factory: pytest.TempPathFactory) -> City:
    """Made by whichever test process comes first; the others wait. Nobody writes into its folder."""
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / "demo-city"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        demo_city.ensure_map(folder)
    return city_in(folder)
