"""Sign-in providers by OpenID Connect 1.0: the authorisation code with PKCE, and ID tokens checked by the
provider's own keys. What a provider publishes is kept for an hour; every address it names is checked like any
other that somebody else chose.
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from dispatch.adapters.outside import OutsideClient, RefusedTarget

TIMEOUT_S = 5.0
#: Documents of a provider are a few kB; what is longer is none.
DOCUMENT_BYTES = 128 * 1024
KEPT_S = 3_600.0
#: A key that is not known is looked for anew, but not more often than this.
KEYS_AGAIN_S = 30.0
KEPT_MOST = 500
LEEWAY_S = 60
TOKEN_MOST = 16 * 1024
#: Signatures by the provider's key pair only: with `none` or a shared secret anybody could sign.
ALGORITHMS = ("RS256", "PS256", "ES256")


class ProviderRefused(Exception):
    """The sign-in cannot be believed, or the provider not be asked; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Provider:
    """What an admin gave: the issuer's address as its tokens name it, and this installation's client there."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for. `email` only where it was verified, lower case; `proven_at` is when the person
    last signed in there, if it says so."""

    subject: str
    email: str | None
    proven_at: datetime | None


@dataclass(slots=True)
class _Kept:
    read_s: float
    body: dict[str, Any]


class OidcClient:
    """One per process."""

    def __init__(self, outside: OutsideClient) -> None:
        self.outside = outside
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def check(self, issuer: str) -> None:
        """Raises RefusedTarget where no provider may be."""
        self.outside.check(issuer)

    def leave_for(
        self, provider: Provider, redirect_uri: str, state: str, nonce: str, verifier: str, anew: bool
    ) -> str:
        """Where to send the browser. `anew`: the person must sign in there once more. Raises ProviderRefused."""
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email",
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if anew:
            asked |= {"max_age": "0", "prompt": "login"}
        address = self._published(provider)["authorization_endpoint"]
        return str(add_params_to_uri(address, list(asked.items())))

    def come_back(
        self,
        provider: Provider,
        redirect_uri: str,
        code: str,
        verifier: str,
        nonce: str,
        wall: datetime,
    ) -> Vouched:
        """Whom this code stands for; `wall` is real time, by which tokens end. Raises ProviderRefused."""
        published = self._published(provider)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        methods = published.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in methods:
            pair = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        answer = self._ask(published["token_endpoint"], urlencode(form).encode(), headers)
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > TOKEN_MOST:
            raise ProviderRefused("oidc_token_missing")
        return self._believe(provider, published["jwks_uri"], token, nonce, wall)

    def _believe(self, provider: Provider, jwks_uri: str, token: str, nonce: str, wall: datetime) -> Vouched:
        try:
            header = jws.extract_compact(token.encode()).headers()
            key = self._key(jwks_uri, header)
            decoded = jwt.decode(token, key, algorithms=list(ALGORITHMS))
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": provider.issuer},
                    "aud": {"essential": True, "value": provider.client_id},
                },
                {"nonce": nonce, "client_id": provider.client_id},
            )
            claims.validate(int(wall.timestamp()), LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderRefused("oidc_token_refused") from error
        subject, email, at = claims.get("sub"), claims.get("email"), claims.get("auth_time")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ProviderRefused("oidc_token_refused")
        verified = claims.get("email_verified") is True and isinstance(email, str) and len(email) <= 254
        proven = None
        if isinstance(at, int | float) and not isinstance(at, bool) and 0 < at < 2**33:
            proven = datetime.fromtimestamp(at, UTC)
        return Vouched(subject, str(email).lower() if verified else None, proven)

    def _key(self, jwks_uri: str, header: Mapping[str, Any]) -> RSAKey | ECKey:
        """The published key the token names; read again where it is not there, for providers change theirs."""
        for younger_than_s in (KEPT_S, KEYS_AGAIN_S):
            published = self._read(jwks_uri, younger_than_s)
            keys = KeySet.import_key_set({"keys": [k for k in published.get("keys", []) if _signs(k)]}).keys
            found = [key for key in keys if key.kid == header.get("kid")] if "kid" in header else keys
            if len(found) == 1 and isinstance(found[0], RSAKey | ECKey):
                return found[0]
        raise ProviderRefused("oidc_token_refused")

    def _published(self, provider: Provider) -> dict[str, Any]:
        """The provider's own description. Raises ProviderRefused where it is another's or lacks an address."""
        document = self._read(provider.issuer.rstrip("/") + "/.well-known/openid-configuration", KEPT_S)
        if document.get("issuer") != provider.issuer:
            raise ProviderRefused("oidc_issuer_differs")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            address = document.get(name)
            if not isinstance(address, str):
                raise ProviderRefused("oidc_document_wrong")
            try:
                self.outside.check(address)
            except RefusedTarget as error:
                raise ProviderRefused(error.code) from error
        return document

    def _read(self, url: str, younger_than_s: float) -> dict[str, Any]:
        with self._lock:
            kept = self._kept.get(url)
        if kept is not None and time.monotonic() - kept.read_s < younger_than_s:
            return kept.body
        body = self._ask(url, None, {"Accept": "application/json"})
        with self._lock:
            if len(self._kept) >= KEPT_MOST:
                self._kept.clear()
            self._kept[url] = _Kept(time.monotonic(), body)
        return body

    def _ask(self, url: str, body: bytes | None, headers: Mapping[str, str]) -> dict[str, Any]:
        try:
            if body is None:
                answer = self.outside.get(url, headers, TIMEOUT_S, DOCUMENT_BYTES)
            else:
                answer = self.outside.post(url, body, headers, TIMEOUT_S, DOCUMENT_BYTES)
        except RefusedTarget as error:
            raise ProviderRefused(error.code) from error
        except httpx.TransportError as error:
            raise ProviderRefused("oidc_unreachable") from error
        if answer.status != 200:
            raise ProviderRefused("oidc_code_refused" if body is not None else "oidc_unreachable")
        try:
            found = json.loads(answer.body)
        except ValueError as error:
            raise ProviderRefused("oidc_document_wrong") from error
        if not isinstance(found, dict):
            raise ProviderRefused("oidc_document_wrong")
        return found


def _signs(key: object) -> bool:
    """A public key of a kind that signs by ALGORITHMS, and not one for encryption."""
    return isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"
