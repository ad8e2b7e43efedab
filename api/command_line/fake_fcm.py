"""A push service on this machine that speaks Firebase's HTTP v1, for the demo and for tests.

    python -m api.command_line.fake_fcm --port P --state DIR

It issues access tokens for the service account it makes on first start (DIR/service-account.json), judges
every message as FCM would, and hands accepted ones to simulated phones that wait for them. A device token's
prefix scripts what happens to it: gone: quota: sender: busy: e500: e503: flaky: (fails twice, then works) and
slow: (answers after ten seconds).
"""

import argparse
import asyncio
import json
import secrets
import socket
import time
from collections import Counter, deque
from pathlib import Path
from typing import Annotated, Any

import jwt
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Form, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse

from api.command_line.fake_fcm_rules import BadMessage, check_request

MESSAGES_KEPT = 10_000
SLOW_S = 10.0
_TOKEN_LIFE_S = 3600
_BODY_BYTES_MAX = 64 * 1024
_SCOPES = {
    "https://www.googleapis.com/auth/firebase.messaging",
    "https://www.googleapis.com/auth/cloud-platform",
}
_ERRORS: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "gone": (404, "NOT_FOUND", "UNREGISTERED", {}),
    "quota": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", {"Retry-After": "3600"}),
    "sender": (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", {}),
    "e500": (500, "INTERNAL", "INTERNAL", {}),
    "busy": (503, "UNAVAILABLE", "UNAVAILABLE", {}),
    "e503": (503, "UNAVAILABLE", "UNAVAILABLE", {"Retry-After": "2"}),
    "flaky": (503, "UNAVAILABLE", "UNAVAILABLE", {"Retry-After": "1"}),
}
_FLAKY_FAILURES = 2


class Post:
    """What was sent: the last messages in order, and a bell for those who wait for the next one."""

    def __init__(self) -> None:
        self.messages: deque[dict[str, Any]] = deque(maxlen=MESSAGES_KEPT)
        self.number = 0
        self.tries: Counter[str] = Counter()
        self.access_tokens: dict[str, float] = {}
        self._bell = asyncio.Event()
        self.closing = False

    def keep(self, message: dict[str, Any], outcome: str) -> None:
        self.number += 1
        target = message.get("token", "")
        self.messages.append({"n": self.number, "token": target, "outcome": outcome, "message": message})
        self._bell.set()
        self._bell = asyncio.Event()

    def since(self, after: int, target: str | None = None) -> list[dict[str, Any]]:
        """Messages numbered above `after`; for one target only those that were accepted."""
        fresh = []
        for entry in reversed(self.messages):
            if entry["n"] <= after:
                break
            if target is None or (entry["token"] == target and entry["outcome"] == "accepted"):
                fresh.append(entry)
        return fresh[::-1]

    def close(self) -> None:
        """Nobody waits for more: the server is about to stop."""
        self.closing = True
        self._bell.set()

    async def wait_since(self, after: int, target: str, wait_s: float) -> list[dict[str, Any]]:
        end = time.monotonic() + wait_s
        while (
            not (fresh := self.since(after, target))
            and (left := end - time.monotonic()) > 0
            and not self.closing
        ):
            try:
                await asyncio.wait_for(self._bell.wait(), left)
            except TimeoutError:
                break
        return fresh


def create_app(public_key: str, slow_s: float = SLOW_S) -> FastAPI:
    """The server for one service account's public key (PEM)."""
    app, post = FastAPI(title="Fake FCM", docs_url=None, redoc_url=None), Post()
    app.state.post = post

    @app.post("/token")
    async def access_token(assertion: Annotated[str, Form(max_length=8192)]) -> Any:
        try:
            claims = jwt.decode(assertion, public_key, algorithms=["RS256"], options={"verify_aud": False})
        except jwt.InvalidTokenError as error:
            return JSONResponse({"error": "invalid_grant", "error_description": str(error)}, 400)
        if not _SCOPES & set(str(claims.get("scope", "")).split()):
            return JSONResponse({"error": "invalid_scope"}, 400)
        token = secrets.token_urlsafe(24)
        post.access_tokens[token] = time.monotonic() + _TOKEN_LIFE_S
        return {"access_token": token, "expires_in": _TOKEN_LIFE_S, "token_type": "Bearer"}

    @app.post("/v1/projects/{project_id}/messages:send")
    async def send(project_id: str, request: Request, authorization: Annotated[str, Header()] = "") -> Any:
        if post.access_tokens.get(authorization.removeprefix("Bearer "), 0) < time.monotonic():
            return _error(401, "UNAUTHENTICATED", None, "Request had invalid authentication credentials.")
        raw = await request.body()
        try:
            if len(raw) > _BODY_BYTES_MAX:
                raise BadMessage("request", "Request too big")
            message = check_request(json.loads(raw))
        except (BadMessage, ValueError, RecursionError) as error:
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", str(error))
        return await _scripted(post, message, project_id, slow_s)

    @app.get("/log")
    async def log(since: Annotated[int, Query(ge=0)] = 0) -> Any:
        """Every judged message with its outcome, numbered, oldest first."""
        return {"last": post.number, "messages": post.since(since)}

    @app.get("/messages/{target}")
    async def messages(
        target: str,
        after: Annotated[int, Query(ge=0)] = 0,
        wait_s: Annotated[float, Query(ge=0, le=60)] = 20,
    ) -> Any:
        """Accepted messages of one device numbered above `after`; waits for the first one."""
        if not target:
            raise HTTPException(404)
        fresh = await post.wait_since(after, target, wait_s)
        return {"last": fresh[-1]["n"] if fresh else after, "messages": fresh}

    @app.get("/health")
    async def health() -> Any:
        return {"ok": True, "messages": post.number}

    return app


async def _scripted(post: Post, message: dict[str, Any], project_id: str, slow_s: float) -> Any:
    target = message.get("token", "")
    script = target.split(":")[0] if ":" in target else ""
    post.tries[target] += 1
    if script == "slow":
        await asyncio.sleep(slow_s)
    if script in _ERRORS and not (script == "flaky" and post.tries[target] > _FLAKY_FAILURES):
        http_status, status, code, headers = _ERRORS[script]
        post.keep(message, code)
        return _error(http_status, status, code, f"Scripted by the token's prefix: {script}", headers)
    post.keep(message, "accepted")
    return {"name": f"projects/{project_id}/messages/{post.number}"}


def _error(
    http_status: int, status: str, code: str | None, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}] if code else []
    body = {"error": {"code": http_status, "message": message, "status": status, "details": details}}
    return JSONResponse(body, http_status, headers)


def write_service_account(path: Path, port: int) -> None:
    """A service account of our own whose tokens come from this port; its key is kept when there is one."""
    try:
        private_key = json.loads(path.read_text())["private_key"]
    except (OSError, ValueError, KeyError):
        private_key = _new_private_key()
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
    private_key = json.loads(path.read_text())["private_key"]
    public = serialization.load_pem_private_key(private_key.encode(), None).public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def _new_private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class _Server(uvicorn.Server):
    """Ends the open polls first, so that none is cut off."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.config.loaded_app.app.state.post.close()
        super().handle_exit(sig, frame)


def main() -> None:
    """Serves on 127.0.0.1 until stopped: on a port of its own, or on a socket opened by the supervisor."""
    parser = argparse.ArgumentParser(prog="python -m api.command_line.fake_fcm")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--port", type=int)
    place.add_argument("--fd", type=int, help="a listening socket of the supervisor; needs --account")
    keys = parser.add_mutually_exclusive_group(required=True)
    keys.add_argument("--state", type=Path, help="folder of the service account's file, made when missing")
    keys.add_argument("--account", type=Path, help="the service account's file, which exists")
    args = parser.parse_args()
    account = args.account or args.state / "service-account.json"
    inherited = args.fd is not None
    listener = socket.socket(fileno=args.fd) if inherited else socket.create_server(("127.0.0.1", args.port))
    if args.state is not None:
        write_service_account(account, listener.getsockname()[1])
    app = create_app(read_public_key(account))
    config = uvicorn.Config(app, access_log=False, log_level="warning", timeout_graceful_shutdown=2)
    _Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
