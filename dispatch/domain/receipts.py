"""A receipt: all that a decision rested on, written so that it can be computed again from itself."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from dispatch.domain.matching import Candidate, EngineerSeen, Match, WorkWanted, match
from dispatch.domain.tenancy import TenantRules

#: The tenant's rules that a match reads; a receipt keeps them as they were.
_RULES_READ = (
    "max_travel_min", "weight_travel_min", "weight_late_min", "weight_workload", "weight_overqualified",
    "weight_preferred", "weight_cost",
)  # fmt: skip
#: What a line of a receipt shows beside the facts it rests on.
_BESIDE = ("engineer_id", "name", "travel_s", "distance_m")


def receipt_body(found: Match, work: WorkWanted, rules: TenantRules) -> dict[str, object]:
    """The receipt as stored: the work, the rules' numbers, every candidate with each failed rule and score part."""
    ranks = {c.engineer.engineer_id: i for i, c in enumerate(found.eligible, start=1)}
    return {
        "travel_source": _travel_source(found),
        "work": _plain(asdict(work)),
        "rules": {name: getattr(rules, name) for name in _RULES_READ},
        "candidates": [line(c, ranks.get(c.engineer.engineer_id)) for c in found.candidates],
    }


def _travel_source(found: Match) -> str:
    """`roads` where every time shown is one along roads; otherwise they count as estimated."""
    sources = {c.engineer.travel_source for c in found.candidates if c.engineer.travel_s is not None}
    return "roads" if sources == {"roads"} else "great_circle"


def line(candidate: Candidate, rank: int | None) -> dict[str, object]:
    """One candidate as stored."""
    engineer = candidate.engineer
    return {
        "engineer_id": str(engineer.engineer_id),
        "eligible": candidate.eligible,
        "rank": rank,
        "score": candidate.score,
        "parts": dict(candidate.parts),
        "refusals": [r.as_json() for r in candidate.refusals],
        "travel_s": engineer.travel_s,
        "distance_m": engineer.distance_m,
        "seen": {k: v for k, v in _plain(asdict(engineer)).items() if k not in _BESIDE},
    }


def computes_again(body: Mapping[str, Any], decided_at: datetime) -> bool:
    """Whether the stored facts give the stored lines. False too for a receipt without its facts."""
    try:
        work = _work(body["work"])
        rules = TenantRules(**body["rules"])
        engineers = [_engineer(each) for each in body["candidates"]]
    except (KeyError, TypeError, ValueError):
        return False
    again = receipt_body(match(work, engineers, rules, decided_at), work, rules)
    return bool(again["candidates"] == body["candidates"])


def _plain(value: Any) -> Any:
    """As JSON gives it back: instants and ids as text, tuples as lists."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _work(kept: Mapping[str, Any]) -> WorkWanted:
    return WorkWanted(
        **{
            **kept,
            "ticket_id": UUID(kept["ticket_id"]),
            "territory_id": _uuid(kept["territory_id"]),
            "window_from": _instant(kept["window_from"]),
            "window_to": _instant(kept["window_to"]),
            "due_at": _instant(kept["due_at"]),
            "day": date.fromisoformat(kept["day"]),
        }
    )


def _engineer(kept: Mapping[str, Any]) -> EngineerSeen:
    seen = kept["seen"]
    shift = seen["shift"]
    return EngineerSeen(
        **{
            **seen,
            "engineer_id": UUID(kept["engineer_id"]),
            "name": "",
            "travel_s": kept["travel_s"],
            "distance_m": kept["distance_m"],
            "territory_id": _uuid(seen["territory_id"]),
            "certified_until": {k: date.fromisoformat(v) for k, v in seen["certified_until"].items()},
            "shift": (datetime.fromisoformat(shift[0]), datetime.fromisoformat(shift[1])) if shift else None,
        }
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
