"""Photo bytes by (tenant, sha256, variant), durable before `put` returns: a local folder.

The S3 twin is in storage_s3. Which photo is still referred to is the database's knowledge, not this module's.
"""

import errno
import hashlib
import os
import re
import uuid
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from dispatch.domain.errors import DispatchError, NotFound

#: What is kept under a photo's hash: `original`, `thumb`, and `large_of` each ticket it came for. `chunk` is a piece
#: of an upload under way, under a key of its own.
Variant = str
#: A large picture from before each ticket had its own; still shown.
LARGE: Variant = "large"

_VARIANT = re.compile(r"original|thumb|chunk|large(-[0-9a-f]{32})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_COPY_BYTES = 1024 * 1024
_UNFINISHED = ".unfinished-"


def large_of(ticket_id: uuid.UUID) -> Variant:
    """The large picture as stamped for this ticket: the same bytes may come for another one, of other people."""
    return f"large-{ticket_id.hex}"


class StorageFull(DispatchError):
    """No room for these bytes now; the same call succeeds once there is room again. HTTP answers 507."""

    code = "storage_full"


class StorageUnavailable(DispatchError):
    """The storage did not answer, or not sensibly; try again later."""

    code = "storage_unavailable"


class BlobMissing(NotFound):
    """Nothing is kept under this key."""

    code = "blob_missing"


class BlobMismatch(DispatchError):
    """The bytes of an original do not hash to the sha256 they were announced under."""

    code = "blob_mismatch"


class BlobStore(Protocol):
    """The port that actions know. Any method may raise StorageUnavailable, or ValueError for a bad key."""

    def put(self, tenant_id: uuid.UUID, sha256: str, content: bytes | Path, variant: Variant) -> None:
        """Keeps the bytes under the key, durably; an original that is there already is left alone.

        `sha256` is always the original's. Raises StorageFull, BlobMismatch.
        """
        ...

    def read(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> bytes:
        """All bytes. Raises BlobMissing."""
        ...

    def open(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> IO[bytes]:
        """A reader the caller closes. Raises BlobMissing."""
        ...

    def exists(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> bool: ...

    def variants(self, tenant_id: uuid.UUID, sha256: str) -> list[Variant]:
        """What is kept under this hash, sorted."""
        ...

    def delete(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> None:
        """Forgets the bytes; nothing happens where there are none."""
        ...


class FolderStore:
    """Blobs as files under one folder: tenant / first two digits of the hash / hash.variant."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, tenant_id: uuid.UUID, sha256: str, content: bytes | Path, variant: Variant) -> None:
        """See BlobStore. Written to a hidden file, synced, renamed, the folder synced: all or nothing."""
        target = self._path(tenant_id, sha256, variant)
        if variant == "original" and target.exists():
            # Another upload may have renamed it a moment ago without having synced the folder yet.
            _sync_folder(target.parent)
            return
        unfinished = target.parent / f"{_UNFINISHED}{uuid.uuid4().hex}"
        try:
            _make_folders(target.parent)
            digest = _write_synced(unfinished, content)
            if variant == "original" and digest != sha256:
                raise BlobMismatch(announced=sha256, found=digest)
            unfinished.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise _translated(error) from error
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def read(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> bytes:
        with self.open(tenant_id, sha256, variant) as source:
            return source.read()

    def open(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> IO[bytes]:
        try:
            return self._path(tenant_id, sha256, variant).open("rb")
        except FileNotFoundError:
            raise BlobMissing(sha256=sha256, variant=variant) from None
        except OSError as error:
            raise _translated(error) from error

    def exists(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> bool:
        return self._path(tenant_id, sha256, variant).is_file()

    def variants(self, tenant_id: uuid.UUID, sha256: str) -> list[Variant]:
        folder = self._path(tenant_id, sha256, "original").parent
        return sorted(path.name.partition(".")[2] for path in folder.glob(f"{sha256}.*"))

    def delete(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> None:
        try:
            self._path(tenant_id, sha256, variant).unlink(missing_ok=True)
        except OSError as error:
            raise _translated(error) from error

    def remove_unfinished(self, before: datetime) -> int:
        """Deletes what killed processes left half-written before that moment; returns how many files."""
        removed = 0
        for leftover in self.root.glob(f"*/*/{_UNFINISHED}*"):
            with suppress(FileNotFoundError):
                if leftover.stat().st_mtime < before.timestamp():
                    leftover.unlink()
                    removed += 1
        return removed

    def _path(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> Path:
        check_key(tenant_id, sha256, variant)
        return self.root / str(tenant_id) / sha256[:2] / f"{sha256}.{variant}"


def check_key(tenant_id: uuid.UUID, sha256: str, variant: str) -> None:
    """Raises ValueError unless the key can only name a place of this tenant's own."""
    if (
        not isinstance(tenant_id, uuid.UUID)
        or not _SHA256.fullmatch(sha256)
        or not _VARIANT.fullmatch(variant)
    ):
        raise ValueError(f"not a blob key: {tenant_id!r} {sha256!r} {variant!r}")


def _write_synced(path: Path, content: bytes | Path) -> str:
    """Writes and syncs the bytes and returns their sha256."""
    with path.open("xb") as target:
        if isinstance(content, bytes):
            digest = hashlib.sha256(content)
            target.write(content)
        else:
            digest = hashlib.sha256()
            with content.open("rb") as source:
                while piece := source.read(_COPY_BYTES):
                    digest.update(piece)
                    target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def _make_folders(folder: Path) -> None:
    """Makes missing folders, syncing the parent of each, or a power cut could lose the whole path."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _translated(error: OSError) -> DispatchError:
    if error.errno in _FULL:
        return StorageFull()
    return StorageUnavailable(reason=errno.errorcode.get(error.errno or 0, "unknown"))
