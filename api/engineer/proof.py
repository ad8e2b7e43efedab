"""The engineer's van: parts at hand and the price list, kept by the phone for days without reception."""

from fastapi import APIRouter, Response

from api.declared import ERRORS
from api.house import Asking, Here, reply
from dispatch.actions.evidence_completion import read_stock
from dispatch.actions.step import run_step
from mobile_contract import v1

#: Part of the engineer's door: `api.engineer.endpoints` takes these in.
endpoints = APIRouter()


@endpoints.get("/stock", operation_id="engineer_stock", response_model=v1.Stock, responses=ERRORS)
def stock(asking: Asking, here: Here) -> Response:
    """Every part of the tenant with what my van holds of it, and the prices for a quote."""
    return reply(run_step(here.house, asking, lambda step: read_stock(step, asking.id)))
