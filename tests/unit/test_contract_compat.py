"""The checker of breaking changes: what breaks an old phone is named, what does not passes."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mobile_contract.compat import breaks

Json = dict[str, Any]
Edit = Callable[[Json], object]


def contract() -> Json:
    """One operation with everything that may change."""
    command = {
        "type": "object",
        "properties": {
            "action": {"type": "string", "maxLength": 40},
            "at": {"type": "string", "format": "date-time"},
            "outcome": {"anyOf": [{"enum": ["fixed", "refused"], "type": "string"}, {"type": "null"}]},
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
        },
        "required": ["action"],
        "additionalProperties": False,
    }
    today = {
        "type": "object",
        "properties": {
            "seq": {"type": "integer"},
            "status": {"enum": ["open", "closed"], "type": "string"},
            "window": {"anyOf": [{"$ref": "#/components/schemas/Line"}, {"type": "null"}]},
            "hint": {"type": "string"},
        },
        "required": ["seq", "status", "window"],
    }
    line = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    operation = {
        "parameters": [{"in": "query", "name": "page", "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": json_of("Command")},
        "responses": {"200": {"content": json_of("Today")}, "409": {"content": json_of("Line")}},
    }
    return {
        "paths": {"/actions": {"post": operation}},
        "components": {"schemas": {"Command": command, "Today": today, "Line": line}},
    }


def json_of(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def schema(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def fields(document: Json, name: str) -> Json:
    found: Json = schema(document, name)["properties"]
    return found


def operation(document: Json) -> Json:
    found: Json = document["paths"]["/actions"]["post"]
    return found


BREAKING: list[tuple[str, Edit]] = [
    ("operation_removed", lambda d: d["paths"].clear()),
    ("parameter_required", lambda d: operation(d)["parameters"][0].update(required=True)),
    ("parameter_removed", lambda d: operation(d)["parameters"].clear()),
    ("request_field_required", lambda d: schema(d, "Command")["required"].append("at")),
    ("request_field_refused", lambda d: fields(d, "Command").pop("at")),
    ("request_type", lambda d: fields(d, "Command").update(action={"type": "integer"})),
    ("request_enum", lambda d: fields(d, "Command")["outcome"]["anyOf"][0]["enum"].remove("refused")),
    ("request_bound", lambda d: fields(d, "Command")["action"].update(maxLength=20)),
    ("request_pattern", lambda d: fields(d, "Command")["action"].update(pattern="^[a-z]+$")),
    ("request_media_removed", lambda d: operation(d)["requestBody"]["content"].clear()),
    ("response_field_required", lambda d: schema(d, "Today")["required"].remove("seq")),
    ("response_field_removed", lambda d: fields(d, "Today").pop("hint")),
    ("response_enum", lambda d: fields(d, "Today")["status"]["enum"].append("paused")),
    ("response_type", lambda d: fields(d, "Today").update(seq={"type": ["integer", "null"]})),
    ("response_format", lambda d: fields(d, "Command")["at"].pop("format") and swap(d)),
    ("success_removed", lambda d: operation(d)["responses"].update({"204": {}, "200": None})),
    ("success_added", lambda d: operation(d)["responses"].update({"202": {"content": {}}})),
]
SAFE: list[tuple[str, Edit]] = [
    ("a new operation", lambda d: d["paths"].update({"/more": {"get": {"responses": {"200": {}}}}})),
    ("an optional field asked", lambda d: fields(d, "Command").update(note={"type": "string"})),
    ("a choice more asked", lambda d: fields(d, "Command")["outcome"]["anyOf"][0]["enum"].append("other")),
    ("a longer text taken", lambda d: fields(d, "Command")["action"].update(maxLength=80)),
    ("a field more told", lambda d: fields(d, "Today").update(more={"type": "string"})),
    (
        "never null any more",
        lambda d: fields(d, "Today").update(window={"$ref": "#/components/schemas/Line"}),
    ),
    ("a refusal more", lambda d: operation(d)["responses"].update({"404": {"content": json_of("Line")}})),
    ("an optional parameter", lambda d: operation(d)["parameters"].append({"in": "query", "name": "q"})),
]


def swap(document: Json) -> None:
    """Told instead of asked: the same change in the other direction."""
    document["components"]["schemas"]["Today"]["properties"]["at"] = {"type": "string"}


def edited(edit: Edit) -> tuple[Json, Json]:
    old = contract()
    fields(old, "Today")["at"] = {"type": "string", "format": "date-time"}
    new = copy.deepcopy(old)
    edit(new)
    replies = operation(new)["responses"] if new["paths"] else {}
    for status in [status for status, reply in replies.items() if reply is None]:
        del replies[status]
    return old, new


@pytest.mark.parametrize(("code", "edit"), BREAKING, ids=[code for code, _ in BREAKING])
def test_a_breaking_change_is_named(code: str, edit: Edit) -> None:
    found = breaks(*edited(edit))
    assert code in {each.code for each in found}, found


@pytest.mark.parametrize(("what", "edit"), SAFE, ids=[what for what, _ in SAFE])
def test_an_addition_passes(what: str, edit: Edit) -> None:
    assert breaks(*edited(edit)) == []


def test_the_same_edit_is_safe_asked_and_breaking_told() -> None:
    """An enumeration that grows: a server that takes more is fine, one that tells more is not."""
    old, new = edited(lambda d: fields(d, "Today")["status"]["enum"].append("paused"))
    assert [each.code for each in breaks(old, new)] == ["response_enum"]
    assert breaks(old, new)[0].place == "POST /actions 200.status"
    assert breaks(new, old) == []


def test_schemas_that_hold_themselves_come_to_an_end() -> None:
    old = contract()
    fields(old, "Line")["inner"] = {"$ref": "#/components/schemas/Line"}
    new = copy.deepcopy(old)
    fields(new, "Line")["text"] = {"type": "integer"}
    assert {each.code for each in breaks(old, new)} == {"request_type", "response_type"}
