"""What 企业微信 calls back: the check of our address, and a pressed accept button.

Signed by the provider, so no sign-in; anything that does not hold is refused and does nothing. The answer must
come within five seconds; a repeated call is the same command and changes nothing.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.declared import problems
from api.house import Here, Rooms
from dispatch.actions.telling_answers import pressed, wecom_of
from dispatch.adapters import wecom
from dispatch.domain.errors import Forbidden, NotFound

endpoints = APIRouter(prefix="/hooks/wecom", tags=["hooks"])

Part = Annotated[str, Query(max_length=4000)]
PLAIN: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@endpoints.get(
    "/{tenant_id}",
    operation_id="wecom_verify",
    response_class=Response,
    responses={**problems(403, 404, 422), **PLAIN},
)
def verify(
    tenant_id: UUID, here: Here, msg_signature: Part, timestamp: Part, nonce: Part, echostr: Part
) -> Response:
    """The provider asks whether this address is ours: decrypt and echo."""
    plain = _open(here, tenant_id, (msg_signature, timestamp, nonce), echostr)
    return Response(plain, media_type="text/plain")


@endpoints.post(
    "/{tenant_id}",
    operation_id="wecom_callback",
    response_class=Response,
    responses={**problems(403, 404, 413, 422), **PLAIN},
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/xml": {"schema": {"type": "string"}}}}
    },
)
async def callback(
    tenant_id: UUID, here: Here, request: Request, msg_signature: Part, timestamp: Part, nonce: Part
) -> Response:
    body = await request.body()
    signed = (msg_signature, timestamp, nonce)
    await run_in_threadpool(_called, here, tenant_id, signed, body)
    return Response("success", media_type="text/plain")


def _called(here: Rooms, tenant_id: UUID, signed: tuple[str, str, str], body: bytes) -> None:
    try:
        sealed = wecom.sealed_part(body)
        press = wecom.read_pressed(_open(here, tenant_id, signed, sealed))
    except wecom.CallbackRefused as error:
        raise Forbidden("callback_refused") from error
    if press is not None:
        pressed(here.house, tenant_id, press)


def _open(here: Rooms, tenant_id: UUID, signed: tuple[str, str, str], sealed: str) -> bytes:
    account = wecom_of(here.house, tenant_id)
    if account is None:
        raise NotFound("tenant_unknown")
    try:
        return wecom.open_callback(account, *signed, sealed)
    except wecom.CallbackRefused as error:
        raise Forbidden("callback_refused") from error
