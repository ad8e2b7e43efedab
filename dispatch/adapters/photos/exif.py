"""What the camera wrote into the file. Only the photo child imports this module."""

import math
import re
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import ExifTags, Image

from dispatch.adapters.photos.model import ExifFacts, PhotoRefused

ORIENTATION = ExifTags.Base.Orientation
_POINTERS = {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop, 0x014A}
_DIRECTORIES_MAX = 64
_DEVICE_CHARS = 80


def refuse_loops(exif: bytes) -> None:
    """Walks the directories of an EXIF block; raises PhotoRefused photo_exif_loop when one is reached twice.

    A block that is merely damaged is no reason to refuse a photo: it counts as no EXIF at all.
    """
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return
    seen: set[int] = set()
    ahead = [struct.unpack_from(order + "I", block, 4)[0]]
    while ahead:
        at = ahead.pop()
        if at == 0 or at + 2 > len(block):
            continue
        if at in seen or len(seen) >= _DIRECTORIES_MAX:
            raise PhotoRefused("photo_exif_loop")
        seen.add(at)
        ahead += _directories_from(block, order, at)


def read(image: Image.Image) -> ExifFacts:
    """The facts of interest; each is None where the camera wrote nothing usable."""
    try:
        top = image.getexif()
        shot = dict(top.get_ifd(ExifTags.IFD.Exif))
        gps = dict(top.get_ifd(ExifTags.IFD.GPSInfo))
    except Exception:
        # Cameras and editors write every kind of damage here, and Pillow answers with every kind of error.
        return ExifFacts()
    local = _wall_clock(shot.get(ExifTags.Base.DateTimeOriginal) or top.get(ExifTags.Base.DateTime))
    offset = _offset(shot.get(ExifTags.Base.OffsetTimeOriginal) or shot.get(ExifTags.Base.OffsetTime))
    taken_at = (local - offset) if local and offset is not None else _gps_clock(gps)
    return ExifFacts(
        taken_at=taken_at,
        taken_at_local=f"{local:%Y-%m-%dT%H:%M:%S}" if local else None,
        position_wgs84=_position(gps),
        accuracy_m=_number(gps.get(ExifTags.GPS.GPSHPositioningError)),
        device=_device(top.get(ExifTags.Base.Make), top.get(ExifTags.Base.Model)),
    )


def _directories_from(block: bytes, order: str, at: int) -> list[int]:
    found: list[int] = []
    entries = struct.unpack_from(order + "H", block, at)[0]
    for entry in range(at + 2, at + 2 + 12 * entries, 12):
        if entry + 12 > len(block):
            return found
        tag, _, count, value = struct.unpack_from(order + "HHII", block, entry)
        if tag in _POINTERS and count == 1:
            found.append(value)
    following = at + 2 + 12 * entries
    if following + 4 <= len(block):
        found.append(struct.unpack_from(order + "I", block, following)[0])
    return found


def _wall_clock(value: Any) -> datetime | None:
    """The wall clock as if it were UTC; the caller takes the offset away."""
    if not isinstance(value, str):
        return None
    match = re.match(r"(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)", value)
    return _moment([int(part) for part in match.groups()]) if match else None


def _offset(value: Any) -> timedelta | None:
    match = re.match(r"([+-])(\d\d):(\d\d)", value) if isinstance(value, str) else None
    if not match:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    return timedelta(minutes=-minutes if match[1] == "-" else minutes)


def _gps_clock(gps: dict[int, Any]) -> datetime | None:
    day, clock = gps.get(ExifTags.GPS.GPSDateStamp), gps.get(ExifTags.GPS.GPSTimeStamp)
    match = re.match(r"(\d{4}):(\d\d):(\d\d)", day) if isinstance(day, str) else None
    parts = [_number(part) for part in clock] if isinstance(clock, tuple) and len(clock) == 3 else [None]
    if not match or None in parts:
        return None
    return _moment([int(part) for part in match.groups()] + [int(part or 0) for part in parts])


def _moment(parts: list[int]) -> datetime | None:
    year, month, day, hour, minute, second = parts
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _position(gps: dict[int, Any]) -> tuple[float, float] | None:
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S")
    longitude = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    # Phones without a fix write zeroes: nobody repairs anything in the Gulf of Guinea.
    return None if latitude == longitude == 0 else (latitude, longitude)


def _degrees(parts: Any, reference: Any, negative: str) -> float | None:
    numbers = [_number(part) for part in parts] if isinstance(parts, tuple) and len(parts) == 3 else [None]
    if None in numbers:
        return None
    degrees, minutes, seconds = (number or 0.0 for number in numbers)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if isinstance(reference, str) and reference.upper().startswith(negative) else value


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _device(make: Any, model: Any) -> str | None:
    words = [re.sub(r"[^\w .,+()/-]", "", text).strip() for text in (make, model) if isinstance(text, str)]
    return " ".join(word for word in words if word)[:_DEVICE_CHARS] or None
