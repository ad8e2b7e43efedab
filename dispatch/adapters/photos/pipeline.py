"""One photo, from raw bytes to everything that is kept of it. Only the photo child imports this module."""

import hashlib
import io
from pathlib import Path

import pillow_heif
from PIL import Image, ImageCms, ImageOps

from dispatch.adapters.photos import exif, heic
from dispatch.adapters.photos.content import recognise
from dispatch.adapters.photos.fingerprint import (
    GRADIENT_SIZE_PX,
    GRAY_SIDE_PX,
    fingerprints,
    gradient_fingerprints,
)
from dispatch.adapters.photos.model import PhotoLimits, PhotoRefused, ProcessedPhoto, Stamp
from dispatch.adapters.photos.watermark import draw_stamp

_CONTENT_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}
_JPEG_QUALITY = 82
_WEBP_QUALITY = 75
_NARROWEST = 16
"""Width to height, or the reverse: beyond this a reduced picture is a line."""
_PROFILE_BYTES = 1024 * 1024

# Pillow's own cap warns at 89 megapixels and raises at 179; ours is lower and is applied before decoding.
Image.MAX_IMAGE_PIXELS = None
# One thread, because each costs address space; no embedded thumbnails, because they may show another scene.
pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)


def process_photo(raw: bytes, stamp: Stamp | None, limits: PhotoLimits, font_path: Path) -> ProcessedPhoto:
    """The photo recognised, capped, decoded, set upright, reduced, stamped and measured.

    Raises PhotoRefused with a stable code for every file that is not a whole, single, reasonable photo, and
    nothing else: decoders answer hostile bytes with every type of exception there is.
    """
    if len(raw) > limits.max_bytes:
        raise PhotoRefused("photo_too_large", bytes=len(raw), max_bytes=limits.max_bytes)
    try:
        return _process(raw, stamp, limits, font_path)
    except PhotoRefused:
        raise
    except MemoryError:
        raise PhotoRefused("photo_out_of_memory") from None
    except Exception as error:
        raise PhotoRefused("photo_broken", reason=type(error).__name__) from error


def _process(raw: bytes, stamp: Stamp | None, limits: PhotoLimits, font_path: Path) -> ProcessedPhoto:
    kind = recognise(raw)
    with Image.open(io.BytesIO(raw), formats=[kind]) as image:
        _refuse_by_header(image, kind, limits)
        exif.refuse_loops(image.info.get("exif") or b"")
        facts = exif.read(image)
        width, height = image.size
        if image.getexif().get(exif.ORIENTATION) in (5, 6, 7, 8):
            width, height = height, width
        smaller = heic.drafted(raw, image, limits.large_side_px) if kind == "HEIF" else image
        large = _reduced(smaller, limits.large_side_px)
    thumb = large.copy()
    thumb.thumbnail((limits.thumb_side_px, limits.thumb_side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    gray = thumb.convert("L")
    square = gray.resize((GRAY_SIDE_PX, GRAY_SIDE_PX), Image.Resampling.LANCZOS)
    phash, mirror_phash = fingerprints(square.tobytes())
    dhash, mirror_dhash = gradient_fingerprints(gray.resize(GRADIENT_SIZE_PX, Image.Resampling.BOX).tobytes())
    if stamp is not None:
        draw_stamp(large, stamp, font_path)
    return ProcessedPhoto(
        content_type=_CONTENT_TYPES[kind],
        width=width,
        height=height,
        sha256=hashlib.sha256(raw).hexdigest(),
        large_jpeg=_saved(large, "JPEG", quality=_JPEG_QUALITY),
        thumb_webp=_saved(thumb, "WEBP", quality=_WEBP_QUALITY, method=2),
        exif=facts,
        phash=phash,
        mirror_phash=mirror_phash,
        dhash=dhash,
        mirror_dhash=mirror_dhash,
    )


def _refuse_by_header(image: Image.Image, kind: str, limits: PhotoLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise PhotoRefused("photo_too_many_pixels", pixels=width * height, max_pixels=limits.max_pixels)
    if min(width, height) < limits.min_side_px or max(width, height) > _NARROWEST * min(width, height):
        raise PhotoRefused("photo_too_small", width=width, height=height)
    # A JPEG or HEIC with several pictures is a burst or a stereo pair, whose first picture is the photo.
    if kind in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:
        raise PhotoRefused("photo_animated")


def _reduced(image: Image.Image, side_px: int) -> Image.Image:
    """Upright, RGB in sRGB, at most `side_px` on the long side, with no metadata attached."""
    scale = side_px / max(image.size)
    if scale < 1:
        # A JPEG is decoded at a half, quarter or eighth where that still is large enough: most time is saved.
        image.draft(None, (int(image.width * scale), int(image.height * scale)))
    image.load()
    profile = image.info.get("icc_profile")
    if image.mode.startswith(("I", "F")):
        image = image.point(lambda value: value / 256).convert("L")
    elif image.mode in ("P", "PA", "1"):
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    # Whole pixels are averaged first as far as that goes, the rest is resampled: half the time for the same look.
    image.thumbnail((side_px, side_px), Image.Resampling.BICUBIC, reducing_gap=1.0)
    image = ImageOps.exif_transpose(image)
    image = _in_srgb(_on_white(image), profile)
    image.info = {}
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA"):
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of a wide-gamut camera turned into sRGB; a profile that cannot be used is ignored."""
    if not profile or len(profile) > _PROFILE_BYTES:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = source.profile.profile_description or ""
        if source.profile.xcolor_space.strip() != "RGB" or "sRGB" in name:
            return image
        ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return image


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()
