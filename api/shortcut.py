"""The way for what is asked for most: straight to the endpoint, past the framework's matching and dependencies.

They cost such a request more than its own work. What stands here is declared as everything else: the endpoint, its
operation, its place in the policy table and its description are the router's own.
"""

import inspect
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, NoMatchFound

from api.house import rooms
from api.signin import principal


class Shortcut(BaseRoute):
    """One route for these operations of `router`; each is `async def endpoint(asking, here)` on a path of its own."""

    def __init__(self, router: APIRouter, *operations: str) -> None:
        """Raises ValueError for an operation that is not there or needs what only the long way gives."""
        declared = {route.operation_id: route for route in router.routes if isinstance(route, APIRoute)}
        self._ways: dict[tuple[str, str], APIRoute] = {}
        for operation in operations:
            route = declared.get(operation)
            if route is None or "{" in route.path or not _is_plain(route):
                raise ValueError(f"no shortcut to {operation}")
            self._ways |= {(method, route.path): route for method in route.methods or ()}

    def matches(self, scope: Any) -> tuple[Match, Any]:
        route = self._ways.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if route is None:
            return Match.NONE, {}
        return Match.FULL, {"route": route, "endpoint": route.endpoint, "path_params": {}}

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive, send)
        asking, here = await principal(request), await rooms(request)
        response = await scope["route"].endpoint(asking, here)
        await response(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)  # the declared route knows


def _is_plain(route: APIRoute) -> bool:
    takes = list(inspect.signature(route.endpoint).parameters)
    return inspect.iscoroutinefunction(route.endpoint) and takes == ["asking", "here"]
