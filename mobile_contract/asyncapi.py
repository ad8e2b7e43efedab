"""What the server says without being asked: live events over SSE, and pushes. As AsyncAPI 3 and JSON Schema."""

from typing import Any, get_args
from uuid import UUID

from pydantic import BaseModel, Field

from mobile_contract.push import PUSH_BYTES_MAX, PushType

Json = dict[str, Any]


class LiveChanged(BaseModel):
    """Something that concerns this engineer happened: pull /engineer/v1/today."""

    seq: int = Field(ge=0, description="The event's number in the company's history; the cursor of /sync.")
    ticket_id: UUID | None = Field(description="The ticket it is about; null where it is about none.")
    action: str = Field(description="The action's name; clients must bear names they do not know.")


#: Each kind of push: what it must name and what it must not. A request may be about no ticket.
_PUSHES = (
    ("offer", ["ticket_id", "offer_id"], ["request_id"]),
    ("offer_withdrawn", ["ticket_id", "offer_id"], ["request_id"]),
    ("assigned", ["ticket_id"], ["offer_id", "request_id"]),
    ("ticket_changed", ["ticket_id"], ["offer_id", "request_id"]),
    ("request_answered", ["request_id"], ["offer_id"]),
)


def push_schema() -> Json:
    """JSON Schema of one push's data as it travels: every value a string (see PushPayload.to_data)."""
    kinds = list(get_args(PushType))
    uuid = {"type": "string", "format": "uuid"}
    digits = {"type": "string", "pattern": "^[0-9]{1,19}$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Push",
        "description": f"A hint to pull, at most {PUSH_BYTES_MAX} bytes; nothing personal is in it.",
        "type": "object",
        "properties": {
            "v": {"const": "1"},
            "type": {"enum": kinds},
            "ticket_id": uuid,
            "offer_id": uuid,
            "request_id": uuid,
            "seq": {**digits, "description": "The event behind the push: pull at least up to here."},
            "exp": {**digits, "description": "Unix time in seconds: worthless from then on."},
        },
        "required": ["v", "type", "seq", "exp"],
        "additionalProperties": False,
        "oneOf": [
            {"properties": {"type": {"const": kind}, **dict.fromkeys(without, False)}, "required": needs}
            for kind, needs, without in _PUSHES
        ],
    }


def asyncapi() -> Json:
    """The AsyncAPI 3 document: channel `live` (SSE) and channel `push` (FCM data messages)."""
    empty = {"type": "object", "maxProperties": 0}
    push = {key: value for key, value in push_schema().items() if key != "$schema"}
    messages = {
        "hello": _message("hello", "The stream is open: pull once.", empty),
        "changed": _message("changed", "Something changed: pull.", _plain(LiveChanged.model_json_schema())),
        "reload": _message("reload", "Events were lost on the way: pull.", empty),
        "push": _message("push", "Sent to the phone's push target; may be late, lost or doubled.", push),
    }
    live = ["hello", "changed", "reload"]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Paidan: what an engineer's phone hears", "version": "1"},
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/engineer/v1/live",
                "description": "Server-sent events, `Authorization: Bearer …`; a comment every 15 s.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in live},
            },
            "push": {
                "address": "fcm",
                "description": "The data of a Firebase Cloud Messaging message.",
                "messages": {"push": {"$ref": "#/components/messages/push"}},
            },
        },
        "operations": {
            name: {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name in ("live", "push")
        },
        "components": {"messages": messages},
    }


def _message(name: str, summary: str, payload: Json) -> Json:
    return {"name": name, "summary": summary, "payload": payload}


def _plain(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if key != "title"}
