"""Every operation, asked with what its schema allows and with what it forbids, by somebody who may ask:
never a 5xx, never an undeclared status, never a body that is not as declared."""

import random
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dispatch.domain.commands import Role
from dispatch.domain.policy import POLICY
from geo.pmtiles import BASE_MAP, write_pmtiles
from tests.api.test_authorisation import REQUESTS, World, ask, operations
from tests.customer_forms import without_limit
from tests.house import Product

EXAMPLES = 50
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def world(product: Product) -> World:
    maps = product.settings.maps_dir
    maps.mkdir(parents=True, exist_ok=True)
    (maps / "probe.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    write_pmtiles(maps / BASE_MAP, {(0, 0, 0): b"probe"}, (-1, -1, 1, 1), {})
    without_limit(product)
    return World(product)


def role_of(operation: str) -> Role | None:
    """Somebody who may; signing out would end the caller, so those come with a spare sign-in."""
    roles = sorted(POLICY[operation])
    return roles[0] if roles else None


@pytest.fixture(scope="module")
def described(world: World) -> dict[str, Any]:
    """operation id → what the OpenAPI says of it."""
    schema = schemathesis.openapi.from_dict(world.town.product.app.openapi())
    found = [result.ok() for result in schema.get_all_operations()]
    return {operation.definition.raw["operationId"]: operation for operation in found}


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_an_operation_keeps_its_word(world: World, described: dict[str, Any], name: str) -> None:
    found: Counter[int] = Counter()
    world.town.phone(world.engineer)  # a busy machine takes longer for all of them than a token lasts
    _fuzz(world, described[name], name, found)
    while found.total() <= EXAMPLES or not _happy(found):
        reply = ask(world, name, operations(world.town.product)[name], role_of(name), _door(world, name))
        found[reply.status_code] += 1
        assert found.total() < 2 * EXAMPLES, (name, found, reply.text)
    print(f"{name:28} 2xx {_happy(found):3}   {dict(sorted(found.items()))}")
    assert not any(status >= 500 for status in found), (name, found)


def _happy(found: Counter[int]) -> int:
    return sum(n for status, n in found.items() if 200 <= status < 300)


def _door(world: World, name: str) -> dict[str, str]:
    role = role_of(name)
    if name.endswith("_signout") and role is not None:
        return world.spare(role)
    if role is Role.ENGINEER:
        return {"Authorization": f"Bearer {world.phone()['access_token']}"}
    return world.tokens[role]


def _fuzz(world: World, operation: Any, name: str, found: Counter[int]) -> None:
    client = world.town.product.client
    chance = random.Random(name)
    headers = _door(world, name)
    known = {"ticket_id": world.ticket_id, "photo_id": world.photo_id, "slug": world.town.made.slug}
    strategy = operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def run(case: Any) -> None:
        for key, value in known.items():
            if key in (case.path_parameters or {}) and chance.random() < 0.7:
                case.path_parameters[key] = value
            if key in (case.query or {}) and chance.random() < 0.7:
                case.query[key] = value
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent["headers"] = {k: str(v) for k, v in {**(sent.get("headers") or {}), **headers}.items()}
        request = client.build_request(
            sent["method"],
            sent["url"],
            params=sent.get("params"),
            headers=_sendable(sent["headers"]),
            json=sent.get("json"),
            content=sent.get("data") if isinstance(sent.get("data"), bytes | str) else None,
        )
        reply = client.send(request)
        client.cookies.clear()
        found[reply.status_code] += 1
        case.validate_response(reply, checks=CHECKS)

    run()


def _sendable(headers: dict[str, str]) -> dict[str, str]:
    """What a client library would put on the wire at all."""
    return {
        k: v for k, v in headers.items() if k.isascii() and v.isascii() and "\n" not in v and "\r" not in v
    }
