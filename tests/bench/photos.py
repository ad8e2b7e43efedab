"""`bench photos`: what one photo of 12 megapixels costs, from raw bytes to everything that is kept of it.

CPU-ms on one thread, the median of five, in one process and one run: the product's pipeline (value), a plain
Pillow pipeline that decodes in full and only shrinks and saves (best), and the bare full decode alone. What a
HEIC costs follows its bytes: a phone in good light writes 1.3 to 2.2 MB. A source, FILE or DIR, is photos of your own.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from dispatch.adapters.photos import PhotoLimits, PhotoRefused, Stamp
from dispatch.adapters.photos.fonts import find_font
from dispatch.adapters.photos.pipeline import process_photo
from tests.integration.heic_files import phone_heic
from tests.integration.photo_files import encoded, noisy_scene

ROUNDS = 5
WIDTH_PX, HEIGHT_PX = 4032, 3024
STAMP = Stamp.of(datetime(2026, 11, 22, 14, 32, tzinfo=UTC), "上海市世纪大道100号12层", "4821-907", "zh")
LIMITS = replace(PhotoLimits(), max_pixels=10**8)
KINDS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(noisy_scene(WIDTH_PX, HEIGHT_PX, 0.3), "JPEG"),
    "PNG": lambda: encoded(noisy_scene(WIDTH_PX, HEIGHT_PX, 0.3), "PNG"),
    "WEBP": lambda: encoded(noisy_scene(WIDTH_PX, HEIGHT_PX, 0.1), "WEBP"),
    "HEIC smooth": lambda: phone_heic(0.0),
    "HEIC of a phone": lambda: phone_heic(0.1, quality=46),
    "HEIC noisy": lambda: phone_heic(0.1, quality=60),
}


def run(source: Path | None, _seconds: float | None, _results: Path) -> dict[str, Any]:
    """The entries of the module's docstring; each has `bytes` and `decode_ms` too."""
    kinds = KINDS if source is None else {path.name: path.read_bytes for path in _files(source)}
    instances = []
    for name, make in kinds.items():
        raw = make()
        entry: dict[str, Any] = {"name": name, "value": None, "best": None, "gap": None, "seconds": None}
        instances.append(entry)
        try:
            ours, plain, bare = (cpu_ms(way, raw) for way in (pipeline, plain_pipeline, bare_decode))
        except PhotoRefused as refused:
            print(f"{name:16} {len(raw):>9} bytes: {refused.code}", flush=True)
            continue
        entry |= {"value": ours, "best": plain, "gap": ours / plain - 1, "bytes": len(raw), "decode_ms": bare}
        print(
            f"{name:16} {len(raw):>9} bytes: {ours:4.0f} CPU-ms, plain Pillow {plain:4.0f}, bare decode {bare:4.0f}",
            flush=True,
        )
    return {"unit": "CPU-ms", "instances": instances}


def _files(source: Path) -> list[Path]:
    return sorted(source.iterdir()) if source.is_dir() else [source]


def cpu_ms(way: Callable[[bytes], object], raw: bytes) -> float:
    """Processor milliseconds of this process, the median of ROUNDS after one that is not counted."""
    way(raw)
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        way(raw)
        costs.append((time.process_time() - began) * 1000)
    return statistics.median(costs)


def pipeline(raw: bytes) -> object:
    """As the photo child does it: recognised, decoded, reduced, stamped, fingerprinted, saved twice."""
    return process_photo(raw, STAMP, LIMITS, find_font())


def plain_pipeline(raw: bytes) -> object:
    """Decoded in full, set upright, reduced and saved at both sizes; no stamp, no fingerprints, no check."""
    with Image.open(io.BytesIO(raw)) as image:
        large = ImageOps.exif_transpose(image).convert("RGB")
    sides = (LIMITS.large_side_px, LIMITS.thumb_side_px)
    large, thumb = (ImageOps.contain(large, (side, side), Image.Resampling.LANCZOS) for side in sides)
    return encoded(large, "JPEG", quality=82), encoded(thumb, "WEBP", quality=75)


def bare_decode(raw: bytes) -> object:
    with Image.open(io.BytesIO(raw)) as image:
        return image.load()
