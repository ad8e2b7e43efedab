"""Web Push: RFC 8030 with VAPID (RFC 8292) and aes128gcm content (RFC 8188, RFC 8291), by cryptography alone."""

import base64
import hashlib
import json
import os
import struct
from functools import cache
from urllib.parse import urlsplit

import httpx
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dispatch.adapters.channel import HTTP_TIMEOUT_S, Clock, Message, Sent, by_status, refused, retry
from dispatch.adapters.outside import OutsideClient, RefusedTarget

PAYLOAD_BYTES_MAX = 3_000
RECORD_BYTES = 4_096
TTL_S_MAX = 28 * 24 * 3_600
TOKEN_LASTS_S = 12 * 3_600


class WebPushChannel:
    """`private_key` is the VAPID key: 32 bytes, base64url. A target is the browser's subscription as JSON."""

    def __init__(self, private_key: str, contact: str, clock: Clock, client: OutsideClient) -> None:
        """Raises ValueError when the key is not one."""
        self._key = _private(private_key)
        self._contact = contact
        self._clock = clock
        self._client = client

    def send(self, message: Message) -> Sent:
        ttl_s = min(int((message.expires_at - self._clock()).total_seconds()), TTL_S_MAX)
        if ttl_s <= 0:
            return refused("message_expired")
        payload = {"title": message.title, "text": message.text, "url": message.url, "key": message.key}
        body = json.dumps(payload, ensure_ascii=False).encode()
        if len(body) > PAYLOAD_BYTES_MAX:
            return refused("webpush_too_large")
        try:
            endpoint, theirs, secret = read_subscription(message.target)
            sealed = encrypt(body, theirs, secret)
        except (ValueError, KeyError, TypeError, InvalidKey):
            return refused("webpush_subscription_malformed")
        headers = {
            "TTL": str(ttl_s),
            "Urgency": "high",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Topic": hashlib.sha256(message.key.encode()).hexdigest()[:32],
            "Authorization": f"vapid t={self._token(endpoint)}, k={padded(point(self._key.public_key()))}",
        }
        try:
            answer = self._client.post(endpoint, sealed, headers, HTTP_TIMEOUT_S)
        except RefusedTarget as error:
            return refused(error.code)
        except httpx.HTTPError:
            return retry("webpush_unreachable")
        return by_status("webpush", answer.status, answer.headers)

    def _token(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(self._clock().timestamp()) + TOKEN_LASTS_S,
            "sub": self._contact,
        }
        head = padded(json.dumps({"typ": "JWT", "alg": "ES256"}).encode())
        signed = f"{head}.{padded(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{padded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@cache
def public_key(private_key: str) -> str:
    """What browsers subscribe with, base64url. Raises ValueError when the key is not one."""
    return padded(point(_private(private_key).public_key()))


def _private(key: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(unpadded(key), "big"), ec.SECP256R1())


def read_subscription(target: str) -> tuple[str, ec.EllipticCurvePublicKey, bytes]:
    """(endpoint, the browser's key, its secret). Raises ValueError, KeyError or TypeError when malformed."""
    body = json.loads(target)
    endpoint, keys = body["endpoint"], body["keys"]
    secret = unpadded(keys["auth"])
    if not isinstance(endpoint, str) or len(endpoint) > 2_000 or len(secret) != 16:
        raise ValueError("subscription")
    return (
        endpoint,
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpadded(keys["p256dh"])),
        secret,
    )


def encrypt(plain: bytes, theirs: ec.EllipticCurvePublicKey, secret: bytes) -> bytes:
    """RFC 8291: one record for this browser alone, under a key made for this message."""
    ours = ec.generate_private_key(ec.SECP256R1())
    salt = os.urandom(16)
    our_point, their_point = point(ours.public_key()), point(theirs)
    shared = ours.exchange(ec.ECDH(), theirs)
    material = _derive(secret, shared, b"WebPush: info\0" + their_point + our_point, 32)
    key = _derive(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(salt, material, b"Content-Encoding: nonce\0", 12)
    head = salt + struct.pack("!IB", RECORD_BYTES, len(our_point)) + our_point
    return head + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


def _derive(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point, 65 bytes."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def padded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
