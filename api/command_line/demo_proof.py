"""What the demo company proves and charges with: parts in the depot and the vans, prices, rates, and two checklists."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.domain.evidence_checklist import check_checklist
from dispatch.store.ids import new_id
from dispatch.store.tables.money import Depot, Part, PartMovement
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.proof import Price, SettlementRate
from dispatch.store.tables.tenants import WorkType

#: code, Chinese, English, unit, price, serialised, old part to come back
PARTS = (
    ("board", "主板", "Control board", "pc", 26_000, True, True),
    ("valve", "电磁阀", "Solenoid valve", "pc", 8_800, False, True),
    ("hose", "软管", "Hose", "m", 1_500, False, False),
    ("breaker", "空气开关", "Circuit breaker", "pc", 4_200, False, False),
)
PRICES = (
    ("call_out", "上门费", "Call-out", "call_out", 3_000, None),
    ("labour", "工时（小时）", "Labour, hour", "labour", 8_000, None),
    ("board", "主板", "Control board", "part", 26_000, "board"),
    ("valve", "电磁阀", "Solenoid valve", "part", 8_800, "valve"),
)
_IN_EACH_VAN = {"board": 3, "valve": 6, "hose": 20, "breaker": 8}


def _label(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


CHECKLISTS: dict[str, list[dict[str, Any]]] = {
    "ac_repair": [
        {"item": "power_off", "kind": "yes_no", "label": _label("已断电检查", "Checked with power off"), "required": True},
        {
            "item": "cause", "kind": "choice", "label": _label("故障部位", "Where the fault was"), "required": True,
            "choices": [
                {"code": "board", "label": _label("主板", "Control board")},
                {"code": "refrigerant", "label": _label("缺氟", "Refrigerant")},
                {"code": "other", "label": _label("其他", "Something else")},
            ],
        },
        {
            "item": "pressure", "kind": "number", "label": _label("系统压力", "System pressure"), "required": True,
            "unit": "bar", "least": 0, "most": 40, "show_when": {"item": "cause", "is": ["refrigerant"]},
        },
        {"item": "remark", "kind": "text", "label": _label("给客户的建议", "Advice to the customer")},
    ],
    "leak": [
        {"item": "shut_off", "kind": "yes_no", "label": _label("总阀能关闭", "Main valve closes"), "required": True},
        {"item": "dry", "kind": "yes_no", "label": _label("修后不再滴水", "Dry after repair"), "required": True},
    ],
}  # fmt: skip


def seed_proof(db: Session, tenant_id: UUID, now: datetime) -> None:
    """Everything once, for the engineers there are."""
    for code, zh, en, unit, price_minor, serialised, returned in PARTS:
        db.add(
            Part(
                tenant_id=tenant_id, code=code, name=_label(zh, en), unit=unit, price_minor=price_minor,
                serialised=serialised, returned=returned,
            )
        )  # fmt: skip
    db.flush()
    for code, zh, en, kind, unit_price_minor, part in PRICES:
        db.add(
            Price(
                tenant_id=tenant_id, code=code, name=_label(zh, en), kind=kind,
                unit_price_minor=unit_price_minor, part=part,
            )
        )  # fmt: skip
    work_types = list(db.scalars(select(WorkType).where(WorkType.tenant_id == tenant_id)))
    for work_type in work_types:
        checklist = CHECKLISTS.get(work_type.code, [])
        check_checklist(checklist)
        work_type.checklist = checklist
        for payee, fixed_minor, share_bp in (
            ("engineer", 4_000, 1_000),
            ("contractor", 6_000, 2_000),
            ("helper", 2_000, 0),
        ):
            db.add(
                SettlementRate(
                    tenant_id=tenant_id, work_type=work_type.code, payee_kind=payee,
                    fixed_minor=fixed_minor, share_bp=share_bp,
                )
            )  # fmt: skip
    _seed_stock(db, tenant_id, now)


def _seed_stock(db: Session, tenant_id: UUID, now: datetime) -> None:
    """One depot, a delivery of twice what the vans take, and the vans loaded from it."""
    depot_id = new_id()
    db.add(Depot(tenant_id=tenant_id, id=depot_id, code="main", name=_label("主仓库", "Main depot")))
    engineers = list(db.scalars(select(Engineer.id).where(Engineer.tenant_id == tenant_id)))

    def book(part: str, quantity: int, source: tuple[str, UUID | None], target: tuple[str, UUID]) -> None:
        db.add(
            PartMovement(
                tenant_id=tenant_id, part=part, quantity=Decimal(quantity), from_kind=source[0],
                from_id=source[1], to_kind=target[0], to_id=target[1], at=now,
                reference="DN-1" if source[0] == "supplier" else None,
            )
        )  # fmt: skip

    for part, count in _IN_EACH_VAN.items():
        book(part, 2 * count * max(1, len(engineers)), ("supplier", None), ("depot", depot_id))
    for engineer_id in engineers:
        for part, count in _IN_EACH_VAN.items():
            book(part, count, ("depot", depot_id), ("van", engineer_id))
    db.flush()
