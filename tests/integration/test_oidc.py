"""Signing in to the board through the company's own provider: a real one's words, and every lie refused."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from api.command_line.company import let_passwords_in
from api.command_line.problems import CommandError
from dispatch.adapters import oidc as adapter
from dispatch.adapters.oidc import OidcClient
from dispatch.adapters.outside import OutsideClient
from dispatch.settings import Clock
from tests.builders import PASSWORD
from tests.fakes.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    FakeProvider,
    provider_running,
    signed_by_another,
    signed_by_public_key,
    unsigned,
)
from tests.house import Product, Town, ok, refused

DOMAIN = "example.com"
DORA = f"dora@{DOMAIN}"


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with provider_running() as provider:
        yield provider


class Office:
    """A company with a provider that knows Dora, and a browser at its sign-in page."""

    def __init__(self, town: Town, provider: FakeProvider) -> None:
        self.town, self.provider = town, provider
        self.client = town.product.client
        provider.claims = {"sub": "dora-at-idp", "email": DORA, "email_verified": True}
        provider.lie, provider.sign, provider.document, provider.delay_s = dict, None, {}, 0.0
        town.product.app.state.rooms.oidc = OidcClient(OutsideClient({"127.0.0.1"}))
        assert self.put().status_code == 204
        assert self.email("Dora", DORA).status_code == 204

    def put(self, **more: Any) -> Any:
        body = {
            "issuer": self.provider.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "email_domains": [DOMAIN],
            **more,
        }
        return self.client.put("/dispatcher/v1/admin/oidc", json=body, headers=self.town.board("Ada"))

    def email(self, name: str, email: str | None) -> Any:
        path = f"/dispatcher/v1/admin/dispatchers/{self.town.made.dispatchers[name]}/email"
        return self.client.put(path, json={"email": email}, headers=self.town.board("Ada"))

    def leave(self, path: str = "", headers: dict[str, str] | None = None) -> str:
        """The browser sets out: the provider's address; its cookie stays in the browser."""
        self.client.cookies.clear()
        path = path or f"/dispatcher/v1/oidc/start?company={self.town.made.slug}"
        reply = self.client.get(path, headers=headers, follow_redirects=False)
        assert reply.status_code == 303, reply.text
        return str(reply.headers["location"])

    def come_back(self, back: dict[str, str]) -> Any:
        return self.client.get("/dispatcher/v1/oidc/callback", params=back, follow_redirects=False)

    def sign_in(self) -> Any:
        return self.come_back(self.provider.authorise(self.leave()))

    def me(self, reply: Any) -> Any:
        """Who the browser is from now on."""
        cookie = reply.cookies.get(self.town.product.app.state.doorkeeper.cookie)
        self.client.cookies.clear()
        assert cookie, reply.headers
        self.headers = {"Authorization": f"Bearer {cookie}"}
        return ok(self.client.get("/dispatcher/v1/me", headers=self.headers))


def told(reply: Any) -> str | None:
    """The code a person is sent back to the sign-in page with."""
    assert reply.status_code == 303, reply.text
    assert "paidan_signin" not in reply.headers.get("set-cookie", ""), reply.headers
    parts = urlsplit(reply.headers["location"])
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/board/")
    return parse_qs(parts.query).get("refused", [None])[0]


@pytest.fixture
def office(town: Town, running: FakeProvider) -> Office:
    return Office(town, running)


def test_a_dispatcher_signs_in_through_the_company(office: Office) -> None:
    ways = "/dispatcher/v1/signin/ways"
    slug = office.town.made.slug
    found = ok(office.client.get(ways, params={"company": slug}))
    assert found == {"provider": True, "company": slug, "only": False}
    assert ok(office.client.get(ways, params={"company": "nobody"}))["provider"] is False
    # Another company is here too: whoever names none is not led to this one's provider.
    office.town.product.company()
    assert ok(office.client.get(ways))["provider"] is False
    assert office.me(office.sign_in())["dispatcher_id"] == str(office.town.made.dispatchers["Dora"])
    office.provider.claims |= {"email": "renamed@elsewhere.example", "email_verified": False}
    assert office.me(office.sign_in())["dispatcher_id"] == str(office.town.made.dispatchers["Dora"])
    settings = ok(office.client.get("/dispatcher/v1/admin/oidc", headers=office.town.board("Ada")))
    assert settings["people"][0]["linked_at"] is not None
    assert settings["redirect_uri"].endswith("/dispatcher/v1/oidc/callback")
    assert CLIENT_SECRET not in str(settings)
    kept = office.town.product.rows(
        "select client_secret_enc from oidc_providers where tenant_id = %(tenant)s",
        office.town.made.tenant_id,
    )
    assert CLIENT_SECRET.encode() not in bytes(kept[0]["client_secret_enc"])


LIES: dict[str, Any] = {
    "another nonce": lambda c: {**c, "nonce": "x" * 64},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "another audience": lambda c: {**c, "aud": "somebody-else"},
    "a second audience and no azp": lambda c: {**c, "aud": [CLIENT_ID, "other"]},
    "another azp": lambda c: {**c, "azp": "other"},
    "another issuer": lambda c: {**c, "iss": "https://idp.example"},
    "expired": lambda c: {**c, "exp": c["iat"] - 120, "iat": c["iat"] - 400},
    "no end": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "not valid yet": lambda c: {**c, "nbf": c["iat"] + 600},
    "no subject": lambda c: {**c, "sub": ""},
    "a subject that is no text": lambda c: {**c, "sub": 7},
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_token_that_says_otherwise_is_refused(office: Office, lie: str) -> None:
    office.provider.lie = LIES[lie]
    assert told(office.sign_in()) == "oidc_token_refused"


@pytest.mark.parametrize("sign", [unsigned, signed_by_public_key, signed_by_another, lambda p, c: "a.b"])
def test_a_token_not_signed_by_the_providers_key_is_refused(office: Office, sign: Any) -> None:
    office.provider.sign = sign
    assert told(office.sign_in()) == "oidc_token_refused"


def test_without_the_nonce_a_token_of_another_journey_would_do(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: the nonce is compared with nothing."""
    monkeypatch.setattr(adapter.CodeIDToken, "validate_nonce", lambda self: None)
    office.provider.lie = LIES["another nonce"]
    office.me(office.sign_in())


def test_a_journey_comes_back_once_and_to_the_browser_that_began_it(office: Office) -> None:
    back = office.provider.authorise(office.leave())
    kept = dict(office.client.cookies)
    office.client.cookies.clear()
    assert told(office.come_back(back)) == "oidc_state_refused"
    office.client.cookies.update(dict.fromkeys(kept, "another browser's secret"))
    assert told(office.come_back(back)) == "oidc_state_refused"
    office.client.cookies.update(kept)
    office.me(office.come_back(back))
    office.client.cookies.update(kept)
    assert told(office.come_back({**back, "code": "another"})) == "oidc_state_refused"


def test_a_state_that_was_altered_or_is_old_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = office.provider.authorise(office.leave())
    assert told(office.come_back({**back, "state": back["state"][:-2] + "xx"})) == "oidc_state_refused"
    assert told(office.come_back({**back, "state": ""})) == "oidc_state_refused"
    assert told(office.come_back({"state": back["state"], "error": "access_denied"})) == "oidc_refused"
    assert told(office.come_back({**back, "iss": "https://idp.example"})) == "oidc_issuer_differs"
    monkeypatch.setattr("api.signin_oidc.JOURNEY", timedelta(seconds=-1))
    late = office.provider.authorise(office.leave())
    assert told(office.come_back(late)) == "oidc_state_refused"


def test_nobody_is_made_or_taken_over(office: Office) -> None:
    """An e-mail that is not verified, of another domain, of nobody here, or of somebody bound to another account."""
    claims = dict(office.provider.claims)
    before = len(office.town.product.rows("select id from dispatchers"))
    for change, code in (
        ({"email_verified": False}, "oidc_email_unverified"),
        ({"email_verified": "true"}, "oidc_email_unverified"),
        ({"email": "dora@elsewhere.example"}, "oidc_domain_refused"),
        ({"email": f"dora@{DOMAIN}.evil.example"}, "oidc_domain_refused"),
        ({"email": f"admin@{DOMAIN}"}, "oidc_person_unknown"),
    ):
        office.provider.claims = claims | change
        assert told(office.sign_in()) == code, change
    office.provider.claims = claims
    office.me(office.sign_in())
    office.provider.claims = claims | {"sub": "somebody with a recycled mailbox"}
    assert told(office.sign_in()) == "oidc_other_subject"
    assert office.email("Dora", DORA).status_code == 204
    office.me(office.sign_in())
    assert len(office.town.product.rows("select id from dispatchers")) == before
    office.town.product.rows(
        "update dispatchers set active = false where id = %(id)s returning id",
        id=office.town.made.dispatchers["Dora"],
    )
    assert told(office.sign_in()) == "oidc_person_unknown"


def test_another_companys_provider_vouches_for_nobody_here(office: Office, product: Product) -> None:
    """The state names the company it began in; the same subject elsewhere is unknown."""
    office.me(office.sign_in())
    other = Office(product.company(), office.provider)
    assert other.email("Dora", None).status_code == 204
    assert told(other.sign_in()) == "oidc_person_unknown"


def test_what_is_grave_asks_for_a_new_sign_in_at_the_provider(office: Office) -> None:
    """A sign-in by the provider's old session is no proof; one made just now is, and only the same person's."""
    office.me(office.sign_in())
    refused(office.client.post("/dispatcher/v1/totp/start", headers=office.headers), 403, "proof_required")
    url = office.leave("/dispatcher/v1/oidc/prove", office.headers)
    asked = parse_qs(urlsplit(url).query)
    assert (asked["max_age"], asked["prompt"]) == (["0"], ["login"])
    stale = office.provider.claims
    office.provider.claims = stale | {"auth_time": 1_700_000_000}
    assert told(office.come_back(office.provider.authorise(url))) == "proof_refused"
    office.provider.claims = stale
    reply = office.come_back(
        office.provider.authorise(office.leave("/dispatcher/v1/oidc/prove", office.headers))
    )
    assert told(reply) is None
    office.client.cookies.clear()
    ok(office.client.post("/dispatcher/v1/totp/start", headers=office.headers))


def test_the_provider_may_change_its_keys_and_is_not_asked_for_them_each_time(office: Office) -> None:
    office.me(office.sign_in())
    asked = office.provider.calls.count("/keys")
    office.me(office.sign_in())
    assert office.provider.calls.count("/keys") == asked
    first, office.provider.key = office.provider.key, RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    try:
        assert told(office.sign_in()) == "oidc_token_refused"
        for kept in office.town.product.app.state.rooms.oidc._kept.values():
            kept.read_s -= adapter.KEYS_AGAIN_S
        office.me(office.sign_in())
    finally:
        office.provider.key = first


def test_a_provider_that_names_another_issuer_or_hangs_is_told_of(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for document, code in (
        ({"issuer": "https://idp.example"}, "oidc_issuer_differs"),
        ({"token_endpoint": 7}, "oidc_document_wrong"),
        ({"jwks_uri": "https://169.254.169.254/keys"}, "url_not_public"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "url_malformed"),
    ):
        office.provider.document = document
        office.town.product.app.state.rooms.oidc._kept.clear()
        assert told_at_start(office) == code
    office.provider.document, office.provider.delay_s = {}, 1.0
    monkeypatch.setattr(adapter, "TIMEOUT_S", 0.2)
    office.town.product.app.state.rooms.oidc._kept.clear()
    assert told_at_start(office) == "oidc_unreachable"


def told_at_start(office: Office) -> str | None:
    path = f"/dispatcher/v1/oidc/start?company={office.town.made.slug}"
    return told(office.client.get(path, follow_redirects=False))


def test_a_provider_that_is_not_public_is_refused_unless_the_operator_named_it(office: Office) -> None:
    rooms = office.town.product.app.state.rooms
    rooms.oidc = OidcClient(OutsideClient())
    refused(office.put(), 422, "url_not_https")
    refused(office.put(issuer="https://10.0.0.1"), 422, "url_not_public")
    assert told_at_start(office) == "url_not_https"


def test_another_issuer_needs_its_secret_and_binds_everybody_anew(office: Office) -> None:
    office.me(office.sign_in())
    refused(office.put(client_id="another", client_secret=None), 422, "oidc_secret_wanted")
    assert office.put(client_secret=None).status_code == 204
    linked = "select subject from oidc_people where tenant_id = %(tenant)s and subject is not null"
    assert office.town.product.rows(linked, office.town.made.tenant_id)
    assert office.put(client_id="another").status_code == 204
    assert not office.town.product.rows(linked, office.town.made.tenant_id)
    assert office.put(active=False).status_code == 204
    assert told_at_start(office) == "oidc_absent"
    password = {"signin_id": office.town.made.signin_id("Dora"), "password": PASSWORD}
    ok(office.client.post("/dispatcher/v1/signin", json=password))
    office.client.cookies.clear()


def test_one_e_mail_is_one_person(office: Office) -> None:
    refused(office.email("Ada", DORA.upper()), 409, "email_taken")


def test_whatever_a_browser_brings_is_answered(office: Office) -> None:
    """What the contract's test does for other operations: these answer by sending the browser on."""
    for query in (
        {},
        {"code": "x"},
        {"state": "pdo1.e30.x", "code": "x"},
        {"state": "pdo1..", "code": "\u0000"},
        {"state": "\u4e2d", "code": "\u4e2d", "iss": "\u4e2d"},
        {"state": "a" * 1000, "code": "a" * 4000},
    ):
        assert told(office.come_back(query)) in ("oidc_refused", "oidc_state_refused"), query
    for query in ({"state": "a" * 1001}, {"code": "a" * 4001}, {"error": "a" * 201}):
        refused(office.come_back(query), 422, "request_invalid")
    start = "/dispatcher/v1/oidc/start"
    for company in ("", "A", "a" * 81, "\u4e2d", "a b"):
        refused(office.client.get(start, params={"company": company}), 422, "request_invalid")
    refused(office.client.get("/dispatcher/v1/oidc/prove"), 401, "signin_required")


def by_password(office: Office, name: str) -> tuple[int, str]:
    body = {"signin_id": office.town.made.signin_id(name), "password": PASSWORD}
    reply = office.client.post("/dispatcher/v1/signin", json=body)
    office.client.cookies.clear()
    return reply.status_code, reply.json().get("code", "")


def test_a_company_leaves_its_own_sign_in_as_the_only_one_and_the_operator_opens_the_door_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who came through it can shut the other door, which ends what came by it."""
    town = office.town
    refused(office.put(only=True), 422, "oidc_signin_wanted")
    office.email("Ada", f"ada@{DOMAIN}")
    just_now = int(Clock.wall().timestamp())
    office.provider.claims |= {"sub": "ada-at-idp", "email": f"ada@{DOMAIN}", "auth_time": just_now}
    office.me(office.sign_in())
    ada = office.headers
    town.board("Dora")
    body = {"issuer": office.provider.url, "client_id": CLIENT_ID, "email_domains": [DOMAIN]}
    path = "/dispatcher/v1/admin/oidc"

    def put(**more: Any) -> Any:
        return office.client.put(path, json=body | more, headers=ada)

    refused(put(only=True, client_id="another", client_secret="s"), 422, "oidc_signin_wanted")
    assert by_password(office, "Dora")[0] == 200
    assert put(only=True).status_code == 204
    ways = office.client.get("/dispatcher/v1/signin/ways", params={"company": town.made.slug})
    assert ok(ways)["only"] is True
    assert by_password(office, "Dora") == (401, "provider_only")
    ended = (
        "select count(*) as n from signins where tenant_id = %(tenant)s and role in ('admin', 'dispatcher')"
    )
    assert town.product.rows(f"{ended} and not by_provider and revoked_at is null", town.made.tenant_id) == [
        {"n": 0}
    ]
    assert ok(office.client.get(path, headers=ada))["provider"]["only"] is True
    refused(
        office.client.post("/dispatcher/v1/proof", json={"password": PASSWORD}, headers=ada),
        401,
        "provider_only",
    )
    assert put(only=True, active=False).status_code == 204
    assert by_password(office, "Dora")[0] == 200
    assert put(only=True).status_code == 204
    assert by_password(office, "Dora") == (401, "provider_only")
    for name, value in town.product.database.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PAIDAN_SECRET_KEY", base64.b64encode(town.product.settings.secret_key).decode())
    monkeypatch.setenv("PAIDAN_DATA_KEY", base64.b64encode(town.product.settings.data_key).decode())
    assert let_passwords_in(town.made.slug) == 0
    assert by_password(office, "Dora")[0] == 200
    with pytest.raises(CommandError):
        let_passwords_in("nobody-here")
