"""What the pages and the server say to each other about the company's own sign-in provider."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from mobile_contract.v1 import Reply, Wire

Issuer = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=300, pattern=r"^https?://[^\s?#]+$")
]
Domain = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, max_length=253, pattern=r"^[A-Za-z0-9.-]+\.[A-Za-z]{2,}$"
    ),
]
Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^\s@]+@[^\s@]+\.[^\s@]+$")
]


class Ways(Reply):
    """`provider`: the sign-in page offers the company's own; `company` is its short name, for `/oidc/start`; `only`:
    passwords are for contractors alone."""

    provider: bool
    company: str | None
    only: bool


class OidcProviderWanted(Wire):
    """`client_secret` absent: the one that is there stays. `only`: no password lets the company's own dispatchers in;
    it is switched on by somebody who came through the provider, and ends every other sign-in of theirs."""

    issuer: Issuer
    client_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    client_secret: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    email_domains: list[Domain] = Field(min_length=1, max_length=20)
    active: bool = True
    only: bool = False


class EmailWanted(Wire):
    """None: they sign in by password alone."""

    email: Email | None


class OidcProviderShown(Reply):
    issuer: str
    client_id: str
    email_domains: list[str]
    active: bool
    only: bool


class OidcPersonShown(Reply):
    """`linked_at`: when the provider's account was bound to them, by their first sign-in."""

    dispatcher_id: UUID
    email: str
    linked_at: datetime | None


class OidcSettings(Reply):
    """`redirect_uri` is what the provider must be told; `signin_page` has the button at once."""

    company: str
    provider: OidcProviderShown | None
    people: list[OidcPersonShown]
    redirect_uri: str
    signin_page: str
