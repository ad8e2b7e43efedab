"""The catalogue in two languages, quiet hours, bursts."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.messages import (
    KINDS,
    LANGUAGES,
    REQUESTS,
    TEMPLATES,
    Quiet,
    not_before,
    placeholders,
    render,
)
from dispatch.domain.requests import KINDS as ASKED

FACTS = {
    "ticket_no": "T1",
    "work_type": {"zh": "空调维修", "en": "AC repair"},
    "at": "2026-11-23T01:00:00+00:00",
    "kind": "arrival",
    "pct": 75,
    "rating": 2,
    "request": "leave",
    "answer": "approved",
}
NIGHT = Quiet(22 * 60, 7 * 60)
SHANGHAI = "Asia/Shanghai"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_says_the_same_in_both_languages(name: str) -> None:
    template = TEMPLATES[name]
    for zh, en in zip(template.zh, template.en, strict=True):
        assert placeholders(zh) - {"work_type"} == placeholders(en) - {"work_type"}
    for language in LANGUAGES:
        title, text = render(name, language, FACTS, SHANGHAI)
        assert title
        assert ("T1" in text) == (name != "request_answered")
        assert "{" not in text
        assert any("\u4e00" <= c <= "\u9fff" for c in title + text) == (language == "zh")


def test_instants_are_local_and_kinds_are_words() -> None:
    assert "11月23日 09:00" in render("window_reminder", "zh", FACTS, SHANGHAI)[1]
    assert "23 Nov 01:00" in render("window_reminder", "en", FACTS, "UTC")[1]
    assert "到达" in render("promise_broken", "zh", FACTS, "UTC")[1]
    assert set(KINDS["zh"]) == set(KINDS["en"])
    assert set(REQUESTS["zh"]) == set(REQUESTS["en"]) == {*ASKED, "approved", "refused"}
    assert "您的请假申请已批准" in render("request_answered", "zh", FACTS, "UTC")[1]


@pytest.mark.parametrize(
    ("hour", "until"), [(21, None), (22, 31), (23, 31), (3, 7), (6, 7), (7, None), (12, None)]
)
def test_quiet_hours_over_midnight(hour: int, until: int | None) -> None:
    day = datetime(2026, 11, 23, tzinfo=UTC)
    ends = NIGHT.ends_after(day + timedelta(hours=hour), "UTC")
    assert ends == (day + timedelta(hours=until) if until is not None else None)


def test_quiet_hours_hold_back_but_not_the_urgent_nor_those_on_call() -> None:
    night = datetime(2026, 11, 23, 15, tzinfo=UTC)  # 23:00 in Shanghai
    morning = datetime(2026, 11, 23, 23, tzinfo=UTC)
    assert not_before(TEMPLATES["closed"], night, NIGHT, SHANGHAI, False, 20) == morning
    assert not_before(TEMPLATES["offer"], night, NIGHT, SHANGHAI, False, 20) == night
    assert not_before(TEMPLATES["closed"], night, NIGHT, SHANGHAI, True, 20) == night
    assert not_before(TEMPLATES["closed"], night, None, SHANGHAI, False, 20) == night


def test_bursts_wait_to_be_gathered() -> None:
    noon = datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert not_before(TEMPLATES["delayed"], noon, NIGHT, SHANGHAI, False, 20) == noon + timedelta(seconds=20)
