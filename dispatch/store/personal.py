"""Personal data at rest: AES-256-GCM bound to its row, and blind indexes to find it by.

A ciphertext is `key id (1 byte) | nonce (12) | ciphertext and tag`; the associated data
names tenant, row and column, so a value copied to another row does not decrypt.
"""

import hashlib
import hmac
import os
import re
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_ID = b"\x01"


class PersonalData:
    """Encrypts, decrypts and indexes with keys derived from one data key of 32 bytes."""

    def __init__(self, data_key: bytes) -> None:
        self._aead = AESGCM(hmac.digest(data_key, b"paidan/personal/1", "sha256"))
        self._index_key = hmac.digest(data_key, b"paidan/blind-index/1", "sha256")

    def encrypt(self, text: str | None, tenant_id: UUID, row_id: UUID, column: str) -> bytes | None:
        """The ciphertext, or None for None or empty text."""
        if not text:
            return None
        nonce = os.urandom(12)
        sealed = self._aead.encrypt(nonce, text.encode(), self._bound(tenant_id, row_id, column))
        return KEY_ID + nonce + sealed

    def decrypt(self, sealed: bytes | None, tenant_id: UUID, row_id: UUID, column: str) -> str | None:
        """The text; None for None. Raises cryptography's InvalidTag when it was moved or altered."""
        if sealed is None:
            return None
        sealed = bytes(sealed)
        text = self._aead.decrypt(sealed[1:13], sealed[13:], self._bound(tenant_id, row_id, column))
        return text.decode()

    def blind(self, text: str | None, tenant_id: UUID) -> bytes | None:
        """The same bytes for the same text within a tenant, and nothing else to learn from them."""
        if not text:
            return None
        return hmac.digest(self._index_key, tenant_id.bytes + text.encode(), hashlib.sha256)[:16]

    @staticmethod
    def _bound(tenant_id: UUID, row_id: UUID, column: str) -> bytes:
        return tenant_id.bytes + row_id.bytes + column.encode()


def phone_digits(phone: str | None) -> str | None:
    """A phone number as it is compared: its digits; a leading 86 or 0086 of a mobile is dropped."""
    if not phone:
        return None
    digits = re.sub(r"\D", "", phone)
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) - len(prefix) == 11:
            digits = digits[len(prefix) :]
    return digits or None
