"""The campaign's saboteur gets at every place that runs a command."""

import pytest

from api import app
from dispatch.actions import step
from tests.campaign.sabotaged_server import sabotage


def test_every_door_that_runs_commands_is_sabotaged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert app
    honest = step.run_command
    reached = sabotage(monkeypatch.setattr)
    assert {"api.house", "api.customer.endpoints", "dispatch.actions.take_action"} <= reached
    assert step.run_command is not honest
