"""Both blob stores keep the same promises; the folder one also on a disk that is really full."""

import hashlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from dispatch.adapters.storage import (
    BlobMismatch,
    BlobMissing,
    BlobStore,
    FolderStore,
    StorageFull,
    StorageUnavailable,
    large_of,
)
from dispatch.adapters.storage_s3 import S3Store, s3_client

TENANT, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
PHOTO = b"a photo" * 1000
SHA = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "blobs")
        return
    with mock_aws():
        client = s3_client(endpoint_url=None, region="us-east-1", access_key="test", secret_key="test")
        client.create_bucket(Bucket="photos")
        yield S3Store("photos", client)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB in its own mount, or where mounting is forbidden, nothing."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
        capture_output=True,
        check=False,
        timeout=10,
    )
    if mounted.returncode:
        yield tmp_path / "cannot mount"
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True, timeout=10)


def unfinished(root: Path) -> list[Path]:
    return list(root.rglob(".unfinished-*"))


def test_what_was_put_is_read_back_from_bytes_and_from_a_file(store: BlobStore, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(PHOTO)
    store.put(TENANT, SHA, upload, "original")
    store.put(TENANT, SHA, b"large", "large")
    store.put(TENANT, SHA, b"thumb", "thumb")
    assert store.read(TENANT, SHA, "original") == PHOTO
    assert store.read(TENANT, SHA, "large") == b"large"
    with store.open(TENANT, SHA, "thumb") as source:
        assert source.read() == b"thumb"


def test_a_photo_has_a_large_picture_for_each_ticket_it_came_for(store: BlobStore) -> None:
    tickets = [uuid.UUID(int=n) for n in (1, 2)]
    for ticket_id in tickets:
        store.put(TENANT, SHA, str(ticket_id).encode(), large_of(ticket_id))
    store.put(TENANT, SHA, b"thumb", "thumb")
    assert store.read(TENANT, SHA, large_of(tickets[0])) == str(tickets[0]).encode()
    assert store.variants(TENANT, SHA) == [*map(large_of, tickets), "thumb"]
    assert store.variants(OTHER, SHA) == []


def test_another_tenants_photo_is_not_there(store: BlobStore) -> None:
    store.put(TENANT, SHA, PHOTO, "original")
    assert store.exists(TENANT, SHA, "original")
    assert not store.exists(OTHER, SHA, "original")
    with pytest.raises(BlobMissing):
        store.read(OTHER, SHA, "original")


def test_an_original_put_twice_stays_and_a_derived_picture_is_replaced(store: BlobStore) -> None:
    for _ in range(2):
        store.put(TENANT, SHA, PHOTO, "original")
    for text in (b"first", b"second"):
        store.put(TENANT, SHA, text, "large")
    assert store.read(TENANT, SHA, "original") == PHOTO
    assert store.read(TENANT, SHA, "large") == b"second"


def test_bytes_that_do_not_hash_to_their_key_are_not_kept(store: BlobStore) -> None:
    with pytest.raises(BlobMismatch):
        store.put(TENANT, SHA, b"another photo", "original")
    assert not store.exists(TENANT, SHA, "original")


def test_deleting_forgets_and_deleting_nothing_is_no_error(store: BlobStore) -> None:
    store.put(TENANT, SHA, PHOTO, "original")
    for _ in range(2):
        store.delete(TENANT, SHA, "original")
    assert not store.exists(TENANT, SHA, "original")


@pytest.mark.parametrize(
    ("sha256", "variant"),
    [("../" * 20, "original"), ("A" * 64, "original"), (SHA + "\n", "large"), (SHA, "../x")],
)
def test_a_key_that_could_leave_the_tenants_folder_is_refused(
    store: BlobStore, sha256: str, variant: str
) -> None:
    for touch in (store.exists, store.read, store.delete):
        with pytest.raises(ValueError, match="not a blob key"):
            touch(TENANT, sha256, variant)


def test_a_put_is_synced_renamed_and_its_folder_synced_in_this_order(tmp_path: Path) -> None:
    """Traces the calls: without them a power cut loses what was answered for."""
    calls: list[str] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if calls_wanted and event in ("os.rename", "os.replace"):
            calls.append("rename")

    calls_wanted = True
    sys.addaudithook(hook)
    store, real_fsync = FolderStore(tmp_path), os.fsync

    def fsync(handle: int) -> None:
        target = Path(os.readlink(f"/proc/self/fd/{handle}"))
        calls.append("sync folder" if target.is_dir() else "sync file")
        real_fsync(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        store.put(TENANT, SHA, PHOTO, "original")
        assert calls[-3:] == ["sync file", "rename", "sync folder"]
        assert calls[:-3] == ["sync folder"] * 2
        calls.clear()
        store.put(TENANT, SHA, PHOTO, "original")
        assert calls == ["sync folder"]
    calls_wanted = False


def test_a_full_disk_refuses_loses_nothing_and_heals(small_disk: Path, tmp_path: Path) -> None:
    if small_disk.is_dir():
        store = FolderStore(small_disk)
        store.put(TENANT, SHA, PHOTO, "original")
        big = os.urandom(2_000_000)
        digest = hashlib.sha256(big).hexdigest()
        for _ in range(3):
            with pytest.raises(StorageFull):
                store.put(TENANT, digest, big, "original")
        assert not store.exists(TENANT, digest, "original")
        assert unfinished(small_disk) == []
        assert store.read(TENANT, SHA, "original") == PHOTO
        subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True, timeout=10)
        store.put(TENANT, digest, big, "original")
        assert store.read(TENANT, digest, "original") == big
    else:
        assert_a_file_size_limit_refuses_and_heals(tmp_path)


def test_a_limit_on_file_sizes_is_a_full_storage_too(tmp_path: Path) -> None:
    assert_a_file_size_limit_refuses_and_heals(tmp_path)


def assert_a_file_size_limit_refuses_and_heals(root: Path) -> None:
    """In a process of its own, because the limit holds for all its files."""
    program = f"""
import hashlib, pathlib, resource, uuid
from dispatch.adapters.storage import FolderStore, StorageFull
store, big = FolderStore(pathlib.Path({str(root)!r})), b"x" * 2_000_000
digest = hashlib.sha256(big).hexdigest()
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
try:
    store.put(uuid.UUID(int=1), digest, big, "original")
except StorageFull as full:
    assert full.code == "storage_full" and not store.exists(uuid.UUID(int=1), digest, "original")
else:
    raise SystemExit("it was kept")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.put(uuid.UUID(int=1), digest, big, "original")
assert store.read(uuid.UUID(int=1), digest, "original") == big
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert unfinished(root) == []


def test_a_process_killed_in_the_middle_leaves_no_photo_and_its_rest_is_swept(tmp_path: Path) -> None:
    program = f"""
import os, pathlib, signal, uuid
from dispatch.adapters.storage import FolderStore
is_file = lambda handle: os.path.isfile(f"/proc/self/fd/{{handle}}")
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL) if is_file(handle) else None
FolderStore(pathlib.Path({str(tmp_path)!r})).put(uuid.UUID(int=1), {SHA!r}, {PHOTO!r}, "original")
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    store = FolderStore(tmp_path)
    assert killed.returncode == -9
    assert not store.exists(TENANT, SHA, "original")
    assert len(unfinished(tmp_path)) == 1
    now = datetime.now(UTC)
    assert store.remove_unfinished(now - timedelta(days=1)) == 0
    assert store.remove_unfinished(now + timedelta(seconds=5)) == 1
    store.put(TENANT, SHA, PHOTO, "original")
    assert store.read(TENANT, SHA, "original") == PHOTO


class BrokenS3:
    """An S3 client whose every call ends the same way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> object:
        def fail(**arguments: object) -> None:
            raise self.error

        return fail


def s3_error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (s3_error("XMinioStorageFull", 507), StorageFull),
        (s3_error("QuotaExceeded", 403), StorageFull),
        (s3_error("AccessDenied", 403), StorageUnavailable),
        (s3_error("SlowDown", 503), StorageUnavailable),
        (EndpointConnectionError(endpoint_url="http://storage"), StorageUnavailable),
    ],
)
def test_s3s_troubles_have_our_names(error: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        S3Store("photos", BrokenS3(error)).put(TENANT, SHA, b"x", "large")  # type: ignore[arg-type]  # a stand-in.
