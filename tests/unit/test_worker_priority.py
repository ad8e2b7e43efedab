"""Jobs give way to the answers people wait for."""

from typing import Never

import pytest

from jobs import worker


class Began(Exception):
    """As far as this test goes."""


def test_a_worker_takes_a_lower_priority_before_it_does_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def read_settings() -> Never:
        raise Began

    monkeypatch.setattr(worker.os, "nice", taken.append)
    monkeypatch.setattr(worker, "read_settings", read_settings)
    with pytest.raises(Began):
        worker.main()
    assert taken == [worker.NICE]
    assert 0 < worker.NICE < 10, "lower than an api's, and far from starved"
