"""The demo's stories: all of them are told, in work that can take them, and the same seed tells the same."""

import itertools
import random

from api.command_line.demo_city import SKILLS, WORK_TYPES
from api.command_line.demo_report import CALLED
from api.command_line.simulation_stories import FAULTS, PLOTS, Story, fault, tell
from dispatch.domain.lifecycle import ACTIONS

PLACES = [{"zh": "示例路1号", "en": "1 Demo Road", "lon": 118.7, "lat": 24.9}]


def test_the_opening_tells_every_plot_once() -> None:
    opening = list(itertools.islice(tell(random.Random(1), PLACES), len(PLOTS)))
    assert [story.plot for story in opening] == [plot.name for plot in PLOTS]


def test_the_same_seed_tells_the_same() -> None:
    def told(seed: int) -> list[tuple[str, str, str, str]]:
        stories = itertools.islice(tell(random.Random(seed), PLACES), 80)
        return [(s.plot, s.work_type, s.channel, s.language) for s in stories]

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_every_kind_of_work_exists_and_has_words_in_both_languages() -> None:
    known = {work_type.code for work_type in WORK_TYPES}
    assert {code for plot in PLOTS for code in plot.work_types} == known == set(FAULTS)
    for code in known:
        for language in ("zh", "en"):
            assert fault(random.Random(1), Story("plain", code, PLACES[0], language, "api"))
    assert {skill for work_type in WORK_TYPES for skill in work_type.skills} <= set(SKILLS)


def test_a_turn_is_taken_once() -> None:
    story = Story("declined", "leak", PLACES[0], "zh", "api")
    assert story.turns("declined")
    assert not story.turns("declined")
    assert not story.turns("ignored")


def test_the_report_names_actions_of_the_table() -> None:
    beside = {"create", "decline_offer", "offer_expired", "offer_withdrawn", "photo", "alert", "helpers"}
    beside |= {"ask_request", "approve_request", "refuse_request", "bulk", "bid"}
    beside |= {
        "receive_parts",
        "load_van",
        "unload_van",
        "take_stock",
        "take_old_parts",
        "book_out_old_parts",
    }
    assert set(CALLED) <= set(ACTIONS) | beside
    assert len(set(CALLED.values())) == len(CALLED)
