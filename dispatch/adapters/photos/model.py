"""What goes into the photo pipeline, what comes out, and every way it can refuse."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from dispatch.domain.errors import DispatchError, NotReady

_WEEKDAYS = {
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_TICKET_LABEL = {"zh": "工单", "en": "Ticket"}


class PhotoRefused(NotReady):
    """This file is not kept as a photo; another photo is needed. The code says why:

    photo_empty, photo_too_large, photo_too_many_pixels, photo_too_small, photo_format_not_allowed,
    photo_truncated, photo_broken, photo_animated, photo_polyglot, photo_exif_loop, photo_out_of_memory,
    photo_too_slow, photo_timeout, photo_crashed.
    """

    code = "photo_broken"


class PhotoBusy(DispatchError):
    """Every photo child stayed busy for the whole wait: nothing is wrong with the photo, send it again."""

    code = "photo_busy"


class PhotoWorkerBroken(DispatchError):
    """No photo child can be started, or no font with Chinese type is installed: the host needs mending."""

    code = "photo_worker_broken"


@dataclass(frozen=True)
class PhotoLimits:
    """Every cap of the pipeline. The first three are judged before a pixel is decoded."""

    max_bytes: int = 50 * 1024 * 1024
    max_pixels: int = 50_000_000
    min_side_px: int = 64
    large_side_px: int = 1600
    thumb_side_px: int = 320
    memory_bytes: int = 640 * 1024 * 1024
    """Address space of one child (RLIMIT_AS); 50 megapixels with transparency fit."""
    cpu_s: int = 10
    wall_s: float = 20.0
    wait_s: float = 30.0
    """The longest wait for a free child."""


@dataclass(frozen=True)
class Stamp:
    """The four texts drawn on the large picture. `clock` is drawn big; empty texts are left out."""

    clock: str
    date: str
    place: str
    ticket: str

    @classmethod
    def of(cls, at: datetime, place: str, ticket_no: str, language: str) -> "Stamp":
        """The stamp for a moment in the site's zone (`at` is aware and already in it), in "zh" or "en"."""
        return cls(
            clock=at.strftime("%H:%M"),
            date=f"{at:%Y-%m-%d} {_WEEKDAYS[language][at.weekday()]}",
            place=place,
            ticket=f"{_TICKET_LABEL[language]} {ticket_no}",
        )


@dataclass(frozen=True)
class ExifFacts:
    """What the camera wrote; evidence, never proof. None where absent or unreadable."""

    taken_at: datetime | None = None
    """Aware UTC: from the wall clock with its written offset, else from the GPS clock."""
    taken_at_local: str | None = None
    """The camera's wall clock without a zone, YYYY-MM-DDTHH:MM:SS."""
    position_wgs84: tuple[float, float] | None = None
    """Latitude, longitude in degrees."""
    accuracy_m: float | None = None
    device: str | None = None


@dataclass(frozen=True)
class ProcessedPhoto:
    """A photo that was decoded completely. Width and height are the upright original's, in pixels."""

    content_type: str
    width: int
    height: int
    sha256: str
    """Of the original bytes, lower-case hex."""
    large_jpeg: bytes
    """Upright, at most 1600 px on the long side, stamped, without metadata."""
    thumb_webp: bytes
    """Upright, at most 320 px on the long side, without stamp and metadata."""
    exif: ExifFacts
    phash: str
    """64-bit perceptual hash as 16 hex digits, of the upright picture before the stamp."""
    mirror_phash: str
    """The same hash of the picture mirrored left to right."""
    dhash: str
    """A second, independent hash of the same picture, 16 hex digits."""
    mirror_dhash: str


class PhotoPipeline(Protocol):
    """The port that actions know."""

    def process(self, photo: bytes | Path, stamp: Stamp | None) -> ProcessedPhoto:
        """The photo decoded, measured and reduced. Raises PhotoRefused, PhotoBusy, PhotoWorkerBroken."""
        ...
