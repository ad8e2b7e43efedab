"""Reads and writes `paidan-plan/1`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dispatch.planning.scenario import Plan, PlanningError, Route, Stop, Unassigned

FORMAT = "paidan-plan/1"
BYTES_LIMIT = 256 * 2**20


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values."""
    return {
        "format": FORMAT,
        "routes": [
            {
                "engineer": route.engineer,
                "stops": [_stop(stop) for stop in route.stops],
                "start_s": [stop.start_s for stop in route.stops],
            }
            for route in plan.routes
        ],
        "unassigned": [
            {"ticket": u.ticket, "reasons": list(u.reasons), "fixes": list(u.fixes)} for u in plan.unassigned
        ],
        "score": dict(plan.score),
        "broken": list(plan.broken),
        "assignments": dict(plan.assignments),
        "notes": dict(plan.notes),
    }


def plan_from_document(document: Any) -> Plan:
    """Raises PlanningError `plan_invalid` for anything that is not a plan."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanningError("format_unknown", {"expected": FORMAT})
    try:
        routes = tuple(
            Route(
                str(route["engineer"]),
                tuple(
                    _read_stop(stop, start)
                    for stop, start in zip(
                        route["stops"], route.get("start_s") or [0] * len(route["stops"]), strict=True
                    )
                ),
            )
            for route in document.get("routes", [])
        )
        unassigned = tuple(
            Unassigned(str(u["ticket"]), tuple(u.get("reasons", ())), tuple(u.get("fixes", ())))
            for u in document.get("unassigned", [])
        )
        score = {str(k): float(v) for k, v in document.get("score", {}).items()}
        broken = tuple(str(engineer) for engineer in document.get("broken", []))
        extra = document.get("assignments", {}), document.get("notes", {})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanningError("plan_invalid", {"detail": repr(error)}) from error
    return Plan(routes, unassigned, score, broken, *extra)


def write_plan(plan: Plan, path: Path) -> None:
    """Writes the whole file or nothing."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(plan_document(plan), ensure_ascii=False, separators=(",", ":")))
    part.replace(path)


def read_plan(path: Path) -> Plan:
    if not path.is_file():
        raise PlanningError("plan_not_found", {"path": str(path)})
    if path.stat().st_size > BYTES_LIMIT:
        raise PlanningError("plan_too_large", {"path": str(path), "bytes_limit": BYTES_LIMIT})
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise PlanningError("plan_not_json", {"path": str(path), "detail": str(error)}) from error
    return plan_from_document(document)


def _stop(stop: Stop) -> Any:
    if stop.ticket is not None:
        return stop.ticket
    return {"break": stop.rest} if stop.rest is not None else {"depot": stop.depot}


def _read_stop(stop: Any, start: Any) -> Stop:
    if isinstance(stop, str):
        return Stop(int(start), ticket=stop)
    ((kind, name),) = stop.items()
    if kind == "break":
        return Stop(int(start), rest=str(name))
    if kind == "depot":
        return Stop(int(start), depot=str(name))
    raise ValueError(f"unknown stop {stop!r}")
