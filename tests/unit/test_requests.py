"""What an engineer may ask for, checked at the edges of the day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from dispatch.domain.errors import NotReady
from dispatch.domain.requests import check_request

NOW = datetime(2026, 3, 2, 16, 10, tzinfo=UTC)
TODAY = date(2026, 3, 3)  # ten past midnight in Shanghai


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_overtime_is_asked_for_from_yesterday_to_a_year_ahead(days: int) -> None:
    facts = {"day": TODAY + timedelta(days=days), "minutes": 60}
    kept = check_request("overtime", None, facts, NOW, TODAY)
    assert kept == {"day": facts["day"].isoformat(), "minutes": 60}


@pytest.mark.parametrize("days", [-2, 367])
def test_overtime_of_no_day_anyone_could_still_work_is_refused_with_the_first_that_may_be(days: int) -> None:
    with pytest.raises(NotReady) as told:
        check_request("overtime", None, {"day": TODAY + timedelta(days=days), "minutes": 60}, NOW, TODAY)
    assert told.value.code == "request_out_of_range"
    assert told.value.facts == {"field": "day", "least": "2026-03-02"}
