"""A push service on this machine that speaks Firebase's HTTP v1, for the demo and for tests.

It hands out tokens for a service account's signed assertion, refuses what the real one refuses (the
client checks none of it: two targets, reserved keys, over 4 KB, a life over 28 days), and keeps the last
messages of each device for GET /sent. A device token that begins `gone:`, `quota:`, `busy:` or
`flaky:` is answered as Firebase answers such a device. With a discovery document every field is checked.
"""

import argparse
import json
import re
import secrets
import socket
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

KEPT = 50  # messages per device
MAX_BYTES = 4096
MAX_TTL_S = 28 * 24 * 3600
FLAKY_TIMES = 2
RESERVED = re.compile(r"^(from|message_type|collapse_key|google\..*|gcm\..*)$")
REFUSALS = {
    "gone": (404, "NOT_FOUND", "UNREGISTERED", None),
    "quota": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", 1),
    "busy": (503, "UNAVAILABLE", "UNAVAILABLE", None),
    "flaky": (503, "UNAVAILABLE", "UNAVAILABLE", None),
}


class Refused(Exception):
    """The message breaks a rule of the push service; the text names the field."""


def create_app(public_key: str, discovery: Mapping[str, Any] | None = None) -> FastAPI:
    """The service. `discovery` is Google's description of fcm v1, as google-api-python-client ships it."""
    app = FastAPI(openapi_url=None)
    bearers: set[str] = set()
    sent: defaultdict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=KEPT))
    tries: defaultdict[str, int] = defaultdict(int)

    @app.post("/token")
    async def token(request: Request) -> JSONResponse:
        form = await request.form()
        try:
            jwt.decode(
                str(form.get("assertion")), public_key, algorithms=["RS256"], options={"verify_aud": False}
            )
        except jwt.PyJWTError as error:
            return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, 400)
        bearer = secrets.token_urlsafe(16)
        bearers.add(bearer)
        return JSONResponse({"access_token": bearer, "expires_in": 3600, "token_type": "Bearer"})

    @app.post("/v1/projects/{project}/messages:send")
    async def send(project: str, request: Request) -> JSONResponse:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in bearers:
            return refusal(401, "UNAUTHENTICATED", None, "the access token is not known")
        try:
            body = await request.json()
            if discovery is not None:
                check_shape(discovery, body, discovery["schemas"]["SendMessageRequest"], "request")
            message = body["message"]
            check_rules(message)
        except (Refused, ValueError, KeyError, TypeError) as error:
            return refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", str(error))
        device = message["token"]
        kind = device.partition(":")[0]
        tries[device] += 1
        if kind in REFUSALS and not (kind == "flaky" and tries[device] > FLAKY_TIMES):
            status, name, code, retry_after_s = REFUSALS[kind]
            return refusal(status, name, code, f"as asked by the device token {kind}:", retry_after_s)
        sent[device].append({"at_epoch_s": time.time(), "message": message})
        return JSONResponse({"name": f"projects/{project}/messages/{secrets.token_hex(8)}"})

    @app.get("/sent")
    async def list_sent(token: str | None = None) -> JSONResponse:
        if token is not None:
            return JSONResponse({"messages": list(sent[token]) if token in sent else []})
        return JSONResponse({"counts": {device: len(kept) for device, kept in sent.items()}})

    return app


def check_rules(message: Mapping[str, Any]) -> None:
    """What Firebase refuses beyond the shape. Raises Refused."""
    targets = [key for key in ("token", "topic", "condition") if key in message]
    if targets != ["token"]:
        raise Refused(f"message: exactly one target, a token, not {targets}")
    for key in message.get("data") or {}:
        if RESERVED.match(key):
            raise Refused(f"message.data[{key}]: a reserved key")
    size = len(json.dumps({key: message.get(key) for key in ("data", "notification")}).encode())
    if size > MAX_BYTES:
        raise Refused(f"message: {size} bytes, at most {MAX_BYTES}")
    ttl = (message.get("android") or {}).get("ttl")
    if ttl is not None and not 0 <= float(str(ttl).removesuffix("s")) <= MAX_TTL_S:
        raise Refused(f"message.android.ttl: {ttl}, at most 28 days")
    headers = (message.get("apns") or {}).get("headers") or {}
    if headers.get("apns-push-type") == "background" and headers.get("apns-priority") == "10":
        raise Refused("message.apns.headers: a background push has priority 5")


def check_shape(document: Mapping[str, Any], value: Any, schema: Mapping[str, Any], path: str) -> None:
    """A value against a schema of a Google discovery document. Raises Refused, naming the field."""
    if "$ref" in schema:
        schema = document["schemas"][schema["$ref"]]
    kind = schema.get("type")
    python_type = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}.get(
        str(kind)
    )
    if python_type is not None and not isinstance(value, python_type):
        raise Refused(f"{path}: expected {kind}")
    if kind == "array":
        for at, item in enumerate(value):
            check_shape(document, item, schema["items"], f"{path}[{at}]")
    elif kind == "object":
        check_object(document, value, schema, path)
    elif kind == "string" and "enum" in schema and value.upper() not in schema["enum"]:
        raise Refused(f"{path}: {value} is none of {schema['enum']}")


def check_object(
    document: Mapping[str, Any], value: Mapping[str, Any], schema: Mapping[str, Any], path: str
) -> None:
    """The members of an object; proto3 JSON takes names in both spellings."""
    properties, others = schema.get("properties"), schema.get("additionalProperties")
    for key, item in value.items():
        if properties is None:
            if others is not None:
                check_shape(document, item, others, f"{path}[{key}]")
            continue
        camel = re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), key)
        inner = properties.get(key) or properties.get(camel)
        if inner is None or inner.get("readOnly"):
            raise Refused(f"{path}.{key}: cannot find field")
        check_shape(document, item, inner, f"{path}.{key}")


def refusal(
    status: int, name: str, code: str | None, text: str, retry_after_s: int | None = None
) -> JSONResponse:
    """An error as Google's APIs write it."""
    details = []
    if code is not None:
        details.append({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code})
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else None
    error = {"code": status, "message": text, "status": name, "details": details}
    return JSONResponse({"error": error}, status, headers=headers)


def write_service_account(path: Path, port: int) -> None:
    """A service account of our own whose tokens come from this service; its key is kept when there is one."""
    try:
        private_key = json.loads(path.read_text())["private_key"]
    except (OSError, ValueError, KeyError):
        private_key = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            .private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            .decode()
        )
    account = {
        "type": "service_account",
        "project_id": "paidan-demo",
        "private_key_id": "demo",
        "private_key": private_key,
        "client_email": "push@paidan-demo.invalid",
        "client_id": "0",
        "token_uri": f"http://127.0.0.1:{port}/token",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(account, indent=2))


def read_public_key(path: Path) -> str:
    """The public half of a service account's key, PEM."""
    private_key = serialization.load_pem_private_key(
        json.loads(path.read_text())["private_key"].encode(), None
    )
    public = private_key.public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def main() -> None:
    """Serves on a socket opened by the supervisor."""
    parser = argparse.ArgumentParser(prog="python -m api.command_line.fake_fcm")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--account", type=Path, required=True, help="the service account's JSON")
    args = parser.parse_args()
    app = create_app(read_public_key(args.account))
    config = uvicorn.Config(app, access_log=False, log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=args.fd)])


if __name__ == "__main__":
    main()
