"""Settings, read once at start-up, and the one clock."""

import base64
import math
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

PLACEHOLDERS = frozenset({"", "changeme", "change-me", "secret", "placeholder", "demo", "test"})
WEB = ("http", "https")


class SettingsError(Exception):
    """The product refuses to start; the text says which setting and how to mend it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Business time: `anchor` plus the real time since `anchor_epoch_s`, times `speed`.

    Speed 1 with the anchor at its own epoch is real time; the demo runs faster. All
    processes of one installation read the same PAIDAN_CLOCK, so they agree.
    """

    anchor: datetime
    anchor_epoch_s: float
    speed: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Clock":
        """From `<ISO instant>@<epoch seconds>x<speed>`; empty text is real time."""
        if not text:
            return cls(datetime.fromtimestamp(0, UTC), 0.0, 1.0)
        try:
            instant, rest = text.split("@")
            epoch, speed = rest.split("x")
            anchor = datetime.fromisoformat(instant)
            clock = cls(anchor.astimezone(UTC), float(epoch), float(speed))
        except ValueError as error:
            raise SettingsError(f"PAIDAN_CLOCK: {text!r} is not <instant>@<epoch>x<speed>") from error
        if anchor.tzinfo is None or not (0 < clock.speed <= 10_000 and math.isfinite(clock.anchor_epoch_s)):
            raise SettingsError("PAIDAN_CLOCK: the instant needs an offset, the speed 0 < x <= 10000")
        return clock

    def __str__(self) -> str:
        return f"{self.anchor.isoformat()}@{self.anchor_epoch_s}x{self.speed}"

    def now(self) -> datetime:
        """This instant in business time, UTC."""
        return self.anchor + timedelta(seconds=(time.time() - self.anchor_epoch_s) * self.speed)

    def real_s(self, business_s: float) -> float:
        """How long `business_s` takes on the wall, seconds."""
        return business_s / self.speed

    @staticmethod
    def wall() -> datetime:
        """Real time, for what must not run faster in a demo: sign-ins and keys."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting of the product; the README's table is generated from `describe`."""

    database_url: str
    database_owner_url: str
    database_relay_url: str
    secret_key: bytes = field(repr=False)
    data_key: bytes = field(repr=False)
    state: Path
    clock: Clock
    public_url: str = "http://127.0.0.1:8080"
    demo: bool = False
    photos_dir: Path = Path("photos")
    photos_s3_bucket: str = ""
    photos_s3_endpoint: str = ""
    photos_s3_region: str = "us-east-1"
    fcm_service_account: str = ""
    fcm_url: str = ""
    api_pool: int = 8
    worker_concurrency: int = 8
    previous_secret_keys: tuple[bytes, ...] = field(default=(), repr=False)
    previous_data_keys: tuple[bytes, ...] = field(default=(), repr=False)
    sms_url: str = ""
    sms_token: str = field(default="", repr=False)
    mail_url: str = field(default="", repr=False)
    mail_from: str = ""
    voice_url: str = ""
    voice_token: str = field(default="", repr=False)
    vapid_key: str = field(default="", repr=False)
    webhook_test_hosts: tuple[str, ...] = ()
    oidc_private_hosts: tuple[str, ...] = ()
    maps_dir: Path = Path("maps")
    roads_dir: Path = Path("roads")
    metrics_token: str = field(default="", repr=False)
    log_level: str = "info"
    otlp_url: str = ""
    api_wait_s: int = 10


DESCRIPTIONS: dict[str, tuple[str, str]] = {
    # name: (what it is, default shown in the README)
    "PAIDAN_DATABASE_URL": (
        "PostgreSQL as the application's role (`DATABASE_URL` is read too)",
        "the private cluster",
    ),
    "PAIDAN_DATABASE_OWNER_URL": ("the same database as the role that migrates", "the private cluster"),
    "PAIDAN_DATABASE_RELAY_URL": ("the same database as the relay's role", "the private cluster"),
    "PAIDAN_DATABASE_BACKUP_URL": (
        "for `backup` and `restore`: the same database as a role that sees all rows",
        "the private cluster's; refused when missing beside a database of your own",
    ),
    "PAIDAN_SECRET_KEY": ("base64, ≥ 32 bytes: signs sign-ins and links", "none; refused when missing"),
    "PAIDAN_DATA_KEY": ("base64, 32 bytes: encrypts names and phones", "none; refused when missing"),
    "PAIDAN_PREVIOUS_SECRET_KEYS": (
        "earlier secret keys, separated by commas: what they signed stays good",
        "none",
    ),
    "PAIDAN_PREVIOUS_DATA_KEYS": (
        "earlier data keys, separated by commas: still read, never written with",
        "none",
    ),
    "PAIDAN_SMS_URL": ("gateway for text messages: `POST {to, text, key}`", "none: no text messages"),
    "PAIDAN_SMS_TOKEN": ("bearer token for the gateway", "none"),
    "PAIDAN_STATE": ("folder for cluster, photos, logs", "`/var/lib/paidan/…` or `.state`"),
    "PAIDAN_PUBLIC_URL": ("address customers' links begin with", "`http://127.0.0.1:8080`"),
    "PAIDAN_CLOCK": ("`<instant>@<epoch>x<speed>`: accelerated business time", "real time"),
    "PAIDAN_PHOTOS_DIR": ("folder for photos", "`$PAIDAN_STATE/photos`"),
    "PAIDAN_PHOTOS_S3_BUCKET": ("bucket for photos instead of the folder", "none"),
    "PAIDAN_PHOTOS_S3_ENDPOINT": ("address of the S3-compatible store", "the provider's own"),
    "PAIDAN_PHOTOS_S3_REGION": (
        "its region; keys come from `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
        "`us-east-1`",
    ),
    "PAIDAN_FCM_SERVICE_ACCOUNT": ("path of Firebase's service-account JSON", "none: no push, phones pull"),
    "PAIDAN_FCM_URL": ("another address for FCM (tests, demo)", "Google's"),
    "PAIDAN_MAIL_URL": ("`smtp://user:password@host:port` for e-mail, or `smtps://`", "none: no e-mail"),
    "PAIDAN_MAIL_FROM": ("address e-mail comes from", "none"),
    "PAIDAN_VOICE_URL": ("gateway for calls: `POST {to, text, key}`", "none: no calls"),
    "PAIDAN_VOICE_TOKEN": ("its bearer token", "none"),
    "PAIDAN_VAPID_KEY": ("base64url, 32 bytes: signs Web Push", "none: no Web Push"),
    "PAIDAN_WEBHOOK_TEST_HOSTS": (
        "host names webhooks may go to though they are not public, separated by commas: tests and the demo only",
        "none",
    ),
    "PAIDAN_OIDC_PRIVATE_HOSTS": (
        "host names of companies' sign-in providers that are not public, separated by commas; they may lack https",
        "none",
    ),
    "PAIDAN_API_POOL": ("database connections of each api process; at most as many again for phones", "8"),
    "PAIDAN_API_WAIT_S": (
        "seconds an engineer's step may wait for its turn in a busy api process before it is answered 503; "
        "a board's reading a seventh of it",
        "10",
    ),
    "PAIDAN_WORKER_CONCURRENCY": (
        "jobs a worker runs at once; as many again of those that wait for other services",
        "8",
    ),
    "PAIDAN_MAPS_DIR": ("folder of map layers shown on the board", "`$PAIDAN_STATE/maps`"),
    "PAIDAN_ROADS_DIR": ("folder of the imported road network", "`$PAIDAN_STATE/roads`"),
    "PAIDAN_METRICS_TOKEN": ("bearer token that `/metrics` asks for", "none: no such page"),
    "PAIDAN_OTLP_URL": ("an OpenTelemetry collector (OTLP over HTTP) that is sent spans", "none: no spans"),
    "PAIDAN_LOG_LEVEL": (
        "`info` (a line for every request and job), `warning` or `error`",
        "`info`; the demo: `warning`",
    ),
    "PAIDAN_ADMIN_PASSWORD": (
        "for `company add`, where nobody can type: the first admin's password",
        "asked for",
    ),
    "PAIDAN_DEMO": ("`1` only in the demo: marks pages, allows shipped sign-ins", "off"),
}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises SettingsError, naming the setting and the mend."""
    env = os.environ if environment is None else environment
    database_url = env.get("PAIDAN_DATABASE_URL") or env.get("DATABASE_URL") or ""
    if not database_url:
        raise SettingsError("PAIDAN_DATABASE_URL is not set; `./paidan serve` or `./paidan demo` sets it")
    state = Path(env.get("PAIDAN_STATE", ".state"))
    return Settings(
        database_url=database_url,
        database_owner_url=env.get("PAIDAN_DATABASE_OWNER_URL", ""),
        database_relay_url=env.get("PAIDAN_DATABASE_RELAY_URL", ""),
        secret_key=_key(env, "PAIDAN_SECRET_KEY", at_least=32),
        data_key=_key(env, "PAIDAN_DATA_KEY", exactly=32),
        previous_secret_keys=_keys(env, "PAIDAN_PREVIOUS_SECRET_KEYS", at_least=32),
        previous_data_keys=_keys(env, "PAIDAN_PREVIOUS_DATA_KEYS", exactly=32),
        sms_url=_address(env, "PAIDAN_SMS_URL", WEB),
        sms_token=_token(env, "PAIDAN_SMS_TOKEN"),
        state=state,
        clock=Clock.parse(env.get("PAIDAN_CLOCK", "")),
        public_url=(_address(env, "PAIDAN_PUBLIC_URL", WEB) or "http://127.0.0.1:8080").rstrip("/"),
        demo=_one_of(env, "PAIDAN_DEMO", ("0", "1")) == "1",
        photos_dir=Path(env.get("PAIDAN_PHOTOS_DIR", str(state / "photos"))),
        photos_s3_bucket=env.get("PAIDAN_PHOTOS_S3_BUCKET", ""),
        photos_s3_endpoint=_address(env, "PAIDAN_PHOTOS_S3_ENDPOINT", WEB),
        photos_s3_region=env.get("PAIDAN_PHOTOS_S3_REGION", "us-east-1"),
        fcm_service_account=_file(env, "PAIDAN_FCM_SERVICE_ACCOUNT"),
        fcm_url=_address(env, "PAIDAN_FCM_URL", WEB),
        api_pool=_count(env, "PAIDAN_API_POOL", 8),
        worker_concurrency=_count(env, "PAIDAN_WORKER_CONCURRENCY", 8),
        mail_url=_mail(env),
        mail_from=env.get("PAIDAN_MAIL_FROM", ""),
        voice_url=_address(env, "PAIDAN_VOICE_URL", WEB),
        voice_token=_token(env, "PAIDAN_VOICE_TOKEN"),
        vapid_key=_vapid(env),
        webhook_test_hosts=tuple(filter(None, env.get("PAIDAN_WEBHOOK_TEST_HOSTS", "").split(","))),
        oidc_private_hosts=tuple(filter(None, env.get("PAIDAN_OIDC_PRIVATE_HOSTS", "").split(","))),
        maps_dir=Path(env.get("PAIDAN_MAPS_DIR", str(state / "maps"))),
        metrics_token=_token(env, "PAIDAN_METRICS_TOKEN"),
        roads_dir=Path(env.get("PAIDAN_ROADS_DIR", str(state / "roads"))),
        api_wait_s=_count(env, "PAIDAN_API_WAIT_S", 10),
        otlp_url=_address(env, "PAIDAN_OTLP_URL", WEB),
        log_level=_one_of(env, "PAIDAN_LOG_LEVEL", ("info", "warning", "error")),
    )


def _keys(env: Mapping[str, str], name: str, at_least: int = 0, exactly: int = 0) -> tuple[bytes, ...]:
    texts = [text.strip() for text in env.get(name, "").split(",") if text.strip()]
    return tuple(_checked_key(text, name, at_least, exactly) for text in texts)


def _key(env: Mapping[str, str], name: str, at_least: int = 0, exactly: int = 0) -> bytes:
    return _checked_key(env.get(name, ""), name, at_least, exactly)


def _checked_key(text: str, name: str, at_least: int, exactly: int) -> bytes:
    mend = "make one with `openssl rand -base64 32`"
    if text.strip().lower() in PLACEHOLDERS:
        raise SettingsError(f"{name} is missing or a placeholder; {mend}")
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise SettingsError(f"{name} is not base64; {mend}") from error
    if len(key) < at_least or (exactly and len(key) != exactly) or len(set(key)) < 8:
        raise SettingsError(f"{name} is too short or too plain ({len(key)} bytes); {mend}")
    return key


def _one_of(env: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """The setting's word; the first where it is not set."""
    word = env.get(name) or words[0]
    if word not in words:
        raise SettingsError(f"{name} must be one of {', '.join(words)}, not {word!r}")
    return word


def _address(env: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str:
    """The address as it was given, or nothing."""
    text = env.get(name, "")
    try:
        parts = urlsplit(text)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:
        good = False
    if text and not good:
        kinds = " or ".join(f"{scheme}://host" for scheme in schemes)
        raise SettingsError(f"{name} is not an address like {kinds}; mend it or leave it out")
    return text


def _token(env: Mapping[str, str], name: str) -> str:
    """The token as it was given, or nothing; a placeholder would open or break what it is for."""
    text = env.get(name, "")
    if text and (text.strip().lower() in PLACEHOLDERS or not (text.isascii() and text.isprintable())):
        raise SettingsError(f"{name} is a placeholder or no token; set the real one or leave it out")
    return text


def _file(env: Mapping[str, str], name: str) -> str:
    text = env.get(name, "")
    if text and not os.access(text, os.R_OK):
        raise SettingsError(f"{name} names {text!r}, which cannot be read; mend it or leave it out")
    return text


def _mail(env: Mapping[str, str]) -> str:
    url = _address(env, "PAIDAN_MAIL_URL", ("smtp", "smtps"))
    sender = env.get("PAIDAN_MAIL_FROM", "")
    if url and not re.fullmatch(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}", sender):
        raise SettingsError("PAIDAN_MAIL_FROM must be the address e-mail comes from, as a@b.example")
    return url


def _vapid(env: Mapping[str, str]) -> str:
    text = env.get("PAIDAN_VAPID_KEY", "")
    if text and not (re.fullmatch(r"[A-Za-z0-9_-]{43}=?", text) and len(set(text)) > 8):
        raise SettingsError("PAIDAN_VAPID_KEY must be 32 bytes in base64url: 43 letters, digits, - and _")
    return text


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 200:
        raise SettingsError(f"{name} must be a whole number from 1 to 200, not {text!r}")
    return int(text)
