"""Personal data at rest: AES-256-GCM bound to its row, and blind indexes to find it by.

A ciphertext is `\\x02 | key (4 bytes) | nonce (12) | ciphertext and tag`; the associated data names tenant, row
and column, so a value copied to another row does not decrypt. The key is named by a fingerprint, so that the data
key can be changed while the product runs: the present key writes, every named one reads.
"""

import hashlib
import hmac
import os
import unicodedata
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: The first byte; ciphertexts of the first version begin with 1, name no key, and go on with the nonce.
NAMED = b"\x02"
FINGERPRINT_BYTES = 4


class PersonalData:
    """Encrypts, decrypts and indexes with keys derived from data keys of 32 bytes; the first is the present one."""

    def __init__(self, data_key: bytes, *previous: bytes) -> None:
        self._ciphers: dict[bytes, AESGCM] = {}
        self._index_keys: list[bytes] = []
        for key in (data_key, *previous):
            name = hmac.digest(key, b"paidan/key-name/1", "sha256")[:FINGERPRINT_BYTES]
            self._ciphers[name] = AESGCM(hmac.digest(key, b"paidan/personal/1", "sha256"))
            self._index_keys.append(hmac.digest(key, b"paidan/blind-index/1", "sha256"))
        self._present = next(iter(self._ciphers))

    @property
    def prefix(self) -> bytes:
        """What every ciphertext of the present key begins with."""
        return NAMED + self._present

    def encrypt(self, text: str | None, tenant_id: UUID, row_id: UUID, column: str) -> bytes | None:
        """The ciphertext, or None for None or empty text."""
        if not text:
            return None
        nonce = os.urandom(12)
        bound = self._bound(tenant_id, row_id, column)
        return self.prefix + nonce + self._ciphers[self._present].encrypt(nonce, text.encode(), bound)

    def decrypt(self, sealed: bytes | None, tenant_id: UUID, row_id: UUID, column: str) -> str | None:
        """The text; None for None. Raises cryptography's InvalidTag when it was moved or altered, or its key is
        not named any more."""
        if sealed is None:
            return None
        sealed, bound = bytes(sealed), self._bound(tenant_id, row_id, column)
        if sealed[:1] == NAMED:
            cipher, sealed = self._ciphers.get(sealed[1:5]), sealed[5:]
            if cipher is None:
                raise InvalidTag
            return cipher.decrypt(sealed[:12], sealed[12:], bound).decode()
        for cipher in self._ciphers.values():
            try:
                return cipher.decrypt(sealed[1:13], sealed[13:], bound).decode()
            except InvalidTag:
                continue
        raise InvalidTag

    def blind(self, text: str | None, tenant_id: UUID) -> bytes | None:
        """The same bytes for the same text within a tenant, and nothing else to learn from them."""
        return self.blinds(text, tenant_id)[0] if text else None

    def blinds(self, text: str, tenant_id: UUID) -> list[bytes]:
        """What this text may be found by: under the present key, and under those before it."""
        found = tenant_id.bytes + text.encode()
        return [hmac.digest(key, found, hashlib.sha256)[:16] for key in self._index_keys]

    @staticmethod
    def _bound(tenant_id: UUID, row_id: UUID, column: str) -> bytes:
        return tenant_id.bytes + row_id.bytes + column.encode()


def phone_digits(phone: str | None) -> str | None:
    """A phone number as it is compared: its digits; a leading 86 or 0086 of a mobile is dropped."""
    if not phone:
        return None
    digits = "".join(str(unicodedata.decimal(c)) for c in phone if c.isdecimal())
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) - len(prefix) == 11:
            digits = digits[len(prefix) :]
    return digits or None
