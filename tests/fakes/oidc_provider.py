"""A sign-in provider on this machine, for tests: real RSA keys, codes good once, PKCE checked, and every lie on demand."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "paidan-board"
CLIENT_SECRET = "a secret with : and % in it"
Lie = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class FakeProvider:
    """`claims` are said of whoever signs in; `lie` changes them, `sign` makes the token in another way."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    claims: dict[str, Any] = field(default_factory=dict)
    lie: Lie = dict
    sign: Callable[["FakeProvider", dict[str, Any]], str] | None = None
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    delay_s: float = 0.0

    def authorise(self, url: str) -> dict[str, str]:
        """What the person's visit to the provider's page comes back with: code and state."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == CLIENT_ID, asked
        assert asked["response_type"] == "code", asked
        assert asked["code_challenge_method"] == "S256", asked
        code = secrets.token_urlsafe(16)
        self.asked[code] = asked
        return {"code": code, "state": asked["state"]}

    def page(self, url: str) -> str:
        """Where a browser is sent: one link, by which the person signs in and goes back."""
        back = parse_qs(urlsplit(url).query)["redirect_uri"][0]
        return f'<a id="go" href="{back}?{escape(urlencode(self.authorise(url)))}">Go on</a>'

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        self.calls.append(path)
        time.sleep(self.delay_s)
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                **self.document,
            }
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/token" and method == "POST":
            return self.token(headers, {k: v[0] for k, v in parse_qs(body.decode()).items()})
        return 404, {}

    def token(self, headers: Any, form: dict[str, str]) -> tuple[int, Any]:
        scheme, _, pair = str(headers.get("Authorization", "")).partition(" ")
        name, _, secret = base64.b64decode(pair or "").decode().partition(":")
        known = (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)
        if scheme != "Basic" or not known:
            return 401, {"error": "invalid_client"}
        asked = self.asked.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = self.lie(
            {
                "iss": self.url,
                "aud": CLIENT_ID,
                "iat": now,
                "exp": now + 300,
                "nonce": asked["nonce"],
                **({"auth_time": now} if "max_age" in asked else {}),
                **self.claims,
            }
        )
        token = self.sign(self, claims) if self.sign else signed(self, claims)
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": token}


def signed(provider: FakeProvider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, provider.key)


def unsigned(provider: FakeProvider, claims: dict[str, Any]) -> str:
    """`alg: none`, as RFC 7519 has it."""
    parts = ({"alg": "none"}, claims)
    return ".".join(_b64(json.dumps(part).encode()) for part in parts) + "."


def signed_by_public_key(provider: FakeProvider, claims: dict[str, Any]) -> str:
    """HMAC with the published key as its secret: the confusion of algorithms."""
    parts = ({"alg": "HS256", "kid": provider.key.kid}, claims)
    text = ".".join(_b64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_b64(hmac.digest(provider.key.as_pem(private=False), text.encode(), 'sha256'))}"


def signed_by_another(provider: FakeProvider, claims: dict[str, Any]) -> str:
    """Another's key under the published name."""
    other = RSAKey.generate_key(2048, {"kid": provider.key.kid})
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, other)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@contextmanager
def provider_running() -> Iterator[FakeProvider]:
    provider = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = urlsplit(self.path).path
            if path == "/authorize":
                self.say(200, "text/html", provider.page(self.path).encode())
                return
            status, said = provider.answer(self.command, path, self.headers, body)
            self.say(status, "application/json", json.dumps(said).encode())

        def say(self, status: int, kind: str, raw: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
