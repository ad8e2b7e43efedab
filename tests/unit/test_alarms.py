"""Alarms: each rings at its limit and nowhere else, and the documentation tells the same to Prometheus."""

import pytest

from api.command_line.environment import HOME
from dispatch.domain.alarms import ALARMS, Alarm, ringing

QUIET = {alarm.figure: (1e9 if alarm.below else 0.0) for alarm in ALARMS}


def test_nothing_rings_when_all_is_well_or_nothing_is_known() -> None:
    assert ringing(QUIET) == []
    assert ringing({}) == []
    assert ringing(dict.fromkeys(QUIET)) == []


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.code)
def test_each_alarm_rings_beyond_its_limit(alarm: Alarm) -> None:
    beyond = alarm.limit * (0.99 if alarm.below else 1.01)
    assert ringing({**QUIET, alarm.figure: beyond}) == [alarm.code]
    assert ringing({**QUIET, alarm.figure: alarm.limit}) == []


def test_the_documentation_says_which_alerts_to_set() -> None:
    told = (HOME / "docs" / "running.md").read_text()
    for alarm in ALARMS:
        wanted = f"| `{alarm.prometheus}` | {alarm.what_to_do} |"
        assert alarm.prometheus is None or wanted in told, wanted
