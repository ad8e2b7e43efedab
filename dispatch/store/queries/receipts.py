"""Receipts: whole for dispatchers, for an engineer only their own line."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.receipts import computes_again
from dispatch.store.queries.reading import fetch

_RECEIPTS = """
  select r.id as receipt_id, r.ticket_id, r.decided_at, r.as_of_seq, r.mode, r.chosen_engineer_id,
    r.runner_up_engineer_id, r.body
  from receipts r where r.tenant_id = %(tenant)s and r.ticket_id = %(ticket)s
  order by r.decided_at desc, r.id desc limit %(limit)s
"""


def read_receipts(db: Session, tenant_id: UUID, ticket_id: UUID, limit: int) -> list[dict[str, Any]]:
    """views.ReceiptView, newest first. `holds`: computing it again from its own facts gives the same lines."""
    rows = fetch(db, _RECEIPTS, {"tenant": tenant_id, "ticket": ticket_id, "limit": limit})
    names = _names(db, tenant_id, [line["engineer_id"] for row in rows for line in row["body"]["candidates"]])
    return [
        {**receipt_view(row, row["body"], names), "holds": computes_again(row["body"], row["decided_at"])}
        for row in rows
    ]


def receipt_view(head: dict[str, Any], body: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """views.ReceiptView: the facts a receipt rests on stay in the database."""
    kept = (
        "receipt_id",
        "ticket_id",
        "decided_at",
        "as_of_seq",
        "mode",
        "chosen_engineer_id",
        "runner_up_engineer_id",
    )
    lines = [
        {**{k: v for k, v in line.items() if k != "seen"}, "name": names.get(line["engineer_id"], "")}
        for line in body["candidates"]
    ]
    return {**{key: head[key] for key in kept}, "travel_source": body["travel_source"], "candidates": lines}


def _names(db: Session, tenant_id: UUID, ids: list[str]) -> dict[str, str]:
    rows = fetch(
        db,
        "select id, name from engineers where tenant_id = %(tenant)s and id = any(%(ids)s::uuid[])",
        {"tenant": tenant_id, "ids": ids},
    )
    return {str(row["id"]): row["name"] for row in rows}


def read_own_receipt(
    db: Session, tenant_id: UUID, ticket_id: UUID, engineer_id: UUID
) -> dict[str, Any] | None:
    """mobile_contract's Receipt: the newest decision in which this engineer was a candidate."""
    for row in fetch(db, _RECEIPTS, {"tenant": tenant_id, "ticket": ticket_id, "limit": 20}):
        for line in row["body"]["candidates"]:
            if line["engineer_id"] == str(engineer_id):
                return {
                    "receipt_id": row["receipt_id"],
                    "ticket_id": row["ticket_id"],
                    "decided_at": row["decided_at"],
                    "as_of_seq": row["as_of_seq"],
                    "mode": row["mode"],
                    "chosen": row["chosen_engineer_id"] == engineer_id,
                    "rank": line["rank"],
                    "score": line["score"],
                    "parts": line["parts"],
                    "refusals": line["refusals"],
                }
    return None
