"""What the customer's pages say: both languages, every code, no word too many; and that their scripts stay small."""

import json
import re
from pathlib import Path

from api.customer.pages import CHOICES, DONE
from api.customer.progress import _EVENTS
from dispatch.domain.lifecycle import Actor, Outcome, TicketStatus, allowed_actions

WEB = Path(__file__).resolve().parents[2] / "web"


def _holes(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))


def catalogue() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads((WEB / "customer" / "messages.json").read_text("utf-8"))
    return texts


def gaps(texts: dict[str, dict[str, str]]) -> list[str]:
    """Keys that one language lacks, says nothing under, or fills with other facts."""
    zh, en = texts["zh"], texts["en"]
    return sorted(
        key for key in zh.keys() | en.keys()
        if not zh.get(key) or not en.get(key) or _holes(zh[key]) != _holes(en[key])
    )  # fmt: skip


def test_both_languages_say_the_same_facts() -> None:
    assert gaps(catalogue()) == []


def test_a_lost_text_or_fact_is_seen() -> None:
    texts = catalogue()
    texts["en"]["head_open"] = ""
    texts["zh"]["about"] = "约"
    del texts["zh"]["refresh"]
    assert gaps(texts) == ["about", "head_open", "refresh"]


def test_every_code_a_customer_meets_has_words() -> None:
    wanted = {f"status_{s}" for s in TicketStatus} | {f"outcome_{o}" for o in Outcome}
    wanted |= {f"head_{s}" for s in TicketStatus} | {f"done_{d}" for d in DONE}
    wanted |= {f"event_{e}" for e in _EVENTS.values()}
    wanted |= {f"reason_{code}" for codes in CHOICES.values() for code in codes}
    assert wanted - catalogue()["zh"].keys() == set()
    customer = {a for s in TicketStatus for a in allowed_actions(s, Actor.CUSTOMER)} - {"note"}
    assert customer <= DONE


def test_codes_have_the_same_words_as_on_the_other_pages() -> None:
    common = (WEB / "shared" / "messages" / "common.ts").read_text("utf-8")
    texts = catalogue()
    for key in texts["zh"]:
        if key.startswith(("reason_", "outcome_")) and (
            found := re.search(rf"\b{key}: \['(.+?)', '(.+?)'\]", common)
        ):
            assert (texts["zh"][key], texts["en"][key]) == found.groups()


def test_no_key_is_left_unused() -> None:
    source = "".join(p.read_text("utf-8") for p in (WEB / "customer").glob("*.html"))
    source += "".join(p.read_text("utf-8") for p in (WEB.parent / "api" / "customer").glob("*.py"))
    made_up = re.compile(
        r"^(head|sub|step|outcome|photo|line|rating|reason|done|event|status|problem|need|field|language|quote|day|check_wrong)_"
    )
    assert [
        k
        for k in catalogue()["zh"]
        if not made_up.match(k) and f"'{k}'" not in source and f'"{k}"' not in source
    ] == []


def test_the_script_stays_small_and_closes_no_tag() -> None:
    for name, most in (("page.js", 10_000), ("switch.js", 2_500), ("notices.js", 1_500)):
        script = (WEB / "customer" / name).read_bytes()
        assert len(script) <= most, name
        assert b"</" not in script, name
    assert b"</" not in (WEB / "customer" / "style.css").read_bytes()
