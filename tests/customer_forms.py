"""The customer's pages as a browser without scripts uses them: forms in, pages out."""

import re
from typing import Any

from api.customer.limits import RequestLimit
from tests.builders import new_ticket
from tests.house import Product, Town


def without_limit(product: Product) -> None:
    """Tests share one address; the limit has tests of its own."""
    product.app.state.request_limit = RequestLimit(most=10_000)


def made(town: Town, work_type: str = "survey", **more: Any) -> tuple[str, str]:
    """A ticket's id and the path of its link."""
    body = town.create(new_ticket(work_type, **more))
    return body["ticket_id"], f"/c/{body['customer_link'].rsplit('/', 1)[-1]}"


def page(town: Town, path: str, status: int = 200, **headers: str) -> str:
    reply = town.product.client.get(path, headers=headers)
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return reply.text


def form_id(html: str, action: str) -> str:
    """The command id the page made for one of its forms."""
    found = re.search(
        rf'name="action" value="{action}">\s*<input type="hidden" name="command_id" value="([^"]+)"', html
    )
    assert found, f"no form for {action}"
    return found[1]


def offered(html: str) -> set[str]:
    """The actions the page has forms for."""
    return set(re.findall(r'name="action" value="(\w+)"', html))


def send(
    town: Town,
    path: str,
    files: list[Any] | None = None,
    headers: dict[str, str] | None = None,
    **fields: str,
) -> Any:
    """Posts a form as a browser does; the raw reply, redirects not followed."""
    parts = [("photos", (f"{n}.jpg", raw, "image/jpeg")) for n, raw in enumerate(files or [])]
    return town.product.client.post(
        path, data=fields, files=parts or None, headers=headers, follow_redirects=False
    )


def act(town: Town, path: str, action: str, **fields: Any) -> Any:
    """Opens the page and sends one of its forms."""
    return send(town, path, action=action, command_id=form_id(page(town, path), action), **fields)


def done(reply: Any, action: str) -> None:
    assert reply.status_code == 303, f"{reply.status_code} {reply.text}"
    assert f"done={action}" in reply.headers["location"]
