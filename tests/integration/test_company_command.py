"""An empty installation lets its first admin in."""

import argparse
import base64

import pytest

from api.command_line import company
from api.command_line.problems import CommandError
from tests.house import Product

PASSWORD = "correct horse battery"


def words(product: Product, monkeypatch: pytest.MonkeyPatch, *more: str) -> argparse.Namespace:
    for name, value in product.database.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PAIDAN_SECRET_KEY", base64.b64encode(product.settings.secret_key).decode())
    monkeypatch.setenv("PAIDAN_DATA_KEY", base64.b64encode(product.settings.data_key).decode())
    monkeypatch.setenv("PAIDAN_ADMIN_PASSWORD", PASSWORD)
    parser = argparse.ArgumentParser()
    company.add_arguments(parser)
    return parser.parse_args(["add", *more])


def test_a_company_is_founded_and_its_admin_signs_in(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = words(
        product, monkeypatch, "acme", "--name", "Acme", "--zone", "Europe/Berlin", "--admin", "boss-acme"
    )
    assert company.run(made) == 0
    body = {"signin_id": "boss-acme", "password": PASSWORD}
    reply = product.client.post("/dispatcher/v1/signin", json=body)
    product.client.cookies.clear()
    assert (reply.status_code, reply.json()["role"]) == (200, "admin")
    with pytest.raises(CommandError, match="already"):
        company.run(made)


@pytest.mark.parametrize(
    "wrong",
    [["Bad Slug!", "Europe/Berlin"], ["fine", "Mars/Olympus"], ["", "Europe/Berlin"], ["UPPER", "UTC"]],
)
def test_wrong_words_are_named(product: Product, monkeypatch: pytest.MonkeyPatch, wrong: list[str]) -> None:
    slug, zone = wrong
    with pytest.raises(CommandError):
        company.run(words(product, monkeypatch, slug, "--name", "X", "--zone", zone, "--admin", "someone"))


def test_what_a_new_company_needs_is_named(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="--zone, --admin"):
        company.run(words(product, monkeypatch, "acme", "--name", "Acme"))
