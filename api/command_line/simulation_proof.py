"""What simulated engineers tell of their work: answers to checklists, parts used, machine by machine."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dispatch.domain.evidence_checklist import shown
from mobile_contract import v1

_PART_OF = {"ac_repair": ("board", "valve"), "leak": ("hose", "valve"), "power_fault": ("breaker",)}


def answers(card: v1.TicketCard, outcome: str, rnd: random.Random) -> list[v1.ChecklistAnswer]:
    """Every item that is asked, answered; branches are followed as they open."""
    items = [item.model_dump(by_alias=True) for item in card.checklist]
    told: dict[str, Any] = {}
    while open_items := [i for i in shown(items, outcome, told) if i["item"] not in told]:
        for item in open_items:
            told[item["item"]] = _answer(item, rnd)
    asked = {item["item"] for item in shown(items, outcome, told)}
    return [
        v1.ChecklistAnswer(item=item, value=value)
        for item, value in told.items()
        if item in asked and value is not None
    ]


def _answer(item: Mapping[str, Any], rnd: random.Random) -> Any:
    if item["kind"] == "yes_no":
        return rnd.random() < 0.8
    if item["kind"] == "choice":
        return rnd.choice([choice["code"] for choice in item["choices"]])
    if item["kind"] == "number":
        return round(rnd.uniform(item["least"] or 0, item["most"] or 10), 1)
    return "正常使用 Use as usual" if item["kind"] == "text" and rnd.random() < 0.3 else None


def parts(card: v1.TicketCard, outcome: str, rnd: random.Random) -> list[v1.PartUsed]:
    """Now and then a part from the van, the old one mostly taken back."""
    known = _PART_OF.get(card.work_type.code)
    if outcome != "fixed" or known is None or rnd.random() > 0.5:
        return []
    code = rnd.choice(known)
    serial = f"SN{rnd.randrange(10**8):08d}" if code == "board" else None
    old = rnd.random() < 0.8
    return [v1.PartUsed(part=code, quantity=Decimal(1), serial=serial, old_returned=old)]


def completion(card: v1.TicketCard, outcome: str, rnd: random.Random) -> dict[str, Any]:
    """The facts of `complete` besides outcome, photos and text."""
    facts: dict[str, Any] = {"parts_used": parts(card, outcome, rnd)}
    if card.machines:
        facts["machines"] = [
            v1.MachineDone(asset_id=machine.asset_id, outcome=outcome, checklist=answers(card, outcome, rnd))
            for machine in card.machines
        ]
    else:
        facts["checklist"] = answers(card, outcome, rnd)
    return facts
