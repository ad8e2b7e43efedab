"""A backup's files: the manifest, checksums, packing into one file and reading it out again, checked."""

import hashlib
import hmac
import json
import tarfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from api.command_line.problems import CommandError

FORMAT = "paidan-backup/1"
DUMP = "database.dump"
PHOTOS = "photos"
MANIFEST = "manifest.json"
#: Photos copied at the same time: most of the time goes into waiting for a bucket or a disk.
AT_ONCE = 8
_PIECE = 1 << 20


@dataclass
class Manifest:
    """What a backup holds. `files` maps a path in it to bytes and sha256; `missing` are photos the database names
    and the storage did not have."""

    revision: str
    made_at: str
    key_mark: str
    rows: dict[str, int]
    heads: dict[str, list[Any]]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def tickets(self) -> int:
        return self.rows.get("tickets", 0)

    def add(self, name: str, path: Path) -> None:
        self.files[name] = {"bytes": path.stat().st_size, "sha256": digest_of(path)}

    def as_text(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """Raises CommandError where there is none, or not one of ours."""
    path = folder / MANIFEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CommandError(
            f"{folder} is no backup, or one that was cut short: it has no {MANIFEST}"
        ) from None
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
        raise CommandError(f"{path} is not of the format {FORMAT}")
    try:
        return Manifest(**told)
    except TypeError as error:
        raise CommandError(f"{path} is damaged: {error}") from error


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every file is there, whole and unchanged. Raises CommandError naming the first that is not."""
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise CommandError(f"the manifest names {name!r}, which lies outside the backup")
        if not path.is_file():
            raise CommandError(f"the backup is not whole: {name} is missing")
        if path.stat().st_size != entry["bytes"]:
            raise CommandError(
                f"the backup is damaged: {name} has {path.stat().st_size} bytes, not {entry['bytes']}"
            )
        if digest_of(path) != entry["sha256"]:
            raise CommandError(f"the backup is damaged: the checksum of {name} does not fit")


def pack(folder: Path, place: Path) -> None:
    """All of `folder` as one tar file, the manifest last, so that a file cut short has none."""
    fresh = place.with_name(f".{place.name}.packing")
    try:
        with tarfile.open(fresh, "w") as tar:
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST):
                tar.add(path, path.relative_to(folder).as_posix())
            tar.add(folder / MANIFEST, MANIFEST)
        fresh.chmod(0o600)
        fresh.replace(place)
    finally:
        fresh.unlink(missing_ok=True)


def unpack(place: Path, folder: Path) -> None:
    """The files of a packed backup into `folder`. Raises CommandError for a file cut short or no backup at all."""
    try:
        with tarfile.open(place, "r:") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError) as error:
        raise CommandError(f"{place} is no backup, or one that was cut short: {error}") from error
    except OSError as error:
        raise CommandError(f"{place} cannot be unpacked: {error}") from error


def copy_hashed(source: IO[bytes], path: Path) -> dict[str, Any]:
    """Bytes and SHA-256 of what was copied to `path`, read once."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            target.write(piece)
    return {"bytes": size, "sha256": digest.hexdigest()}


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while piece := source.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def key_mark(data_key: bytes) -> str:
    """Tells whether two installations have the same data key, and nothing about the key."""
    return hmac.new(data_key, b"paidan backup", hashlib.sha256).hexdigest()[:16]
