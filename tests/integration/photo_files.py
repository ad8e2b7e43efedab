"""Photos and files that pretend to be photos, made on the spot."""

import io
import random
import struct
import zipfile
import zlib

from PIL import Image, ImageDraw

GPS_TAG, EXIF_TAG = 0x8825, 0x8769


def scene(width: int, height: int, seed: int = 1) -> Image.Image:
    """A picture with shapes and shades, the same for the same seed."""
    chance = random.Random(seed)
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y = chance.randrange(width), chance.randrange(height)
        box = (x, y, x + chance.randrange(1, width // 4), y + chance.randrange(1, height // 4))
        draw.ellipse(box, fill=(chance.randrange(256), chance.randrange(256), chance.randrange(256)))
    return picture


def noisy_scene(width: int, height: int, noise: float, seed: int = 1) -> Image.Image:
    """The scene with the grain of a poor sensor mixed in: 0 none, 1 nothing else."""
    grain = Image.effect_noise((width, height), 25).convert("RGB")
    return Image.blend(scene(width, height, seed), grain, noise)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def camera_exif(orientation: int = 1) -> Image.Exif:
    """What a phone in Shanghai writes."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "HUAWEI", "P60", orientation
    exif[EXIF_TAG] = {0x9003: "2026:11:22 14:32:05", 0x9011: "+08:00"}
    exif[GPS_TAG] = {1: "N", 2: (31.0, 14.0, 9.6), 3: "E", 4: (121.0, 30.0, 0.0), 31: 12.5}
    return exif


def phone_photo(width: int = 4000, height: int = 3000, seed: int = 1, orientation: int = 1) -> bytes:
    return encoded(scene(width, height, seed), "JPEG", quality=92, exif=camera_exif(orientation))


def bomb_png(width: int, height: int, channels: int = 3) -> bytes:
    """A PNG of one colour, tiny on disk and huge in memory; made row by row."""
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    packer = zlib.compressobj(9)
    row = b"\0" + b"\x14" * (width * channels)
    body = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def looping_exif_jpeg() -> bytes:
    """A whole JPEG whose EXIF directory names itself as the next one."""
    directory = struct.pack("<HHHII", 1, 0x0112, 3, 1, 1) + struct.pack("<I", 8)
    block = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + directory
    return _with_segment(encoded(scene(400, 300), "JPEG"), 0xE1, block)


def exif_pointing_home_jpeg() -> bytes:
    """The EXIF pointer of the first directory leads back to the first directory."""
    directory = struct.pack("<HHHII", 1, EXIF_TAG, 4, 1, 8) + struct.pack("<I", 0)
    block = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + directory
    return _with_segment(encoded(scene(400, 300), "JPEG"), 0xE1, block)


def zip_behind_jpeg() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("run.sh", "echo hello")
    return encoded(scene(400, 300), "JPEG") + target.getvalue()


def motion_photo() -> bytes:
    """A JPEG with the film that some phones append: allowed."""
    return encoded(scene(400, 300), "JPEG") + b"\0\0\0\x18ftypmp42" + b"\0" * 2000


def animated(kind: str) -> bytes:
    frames = [scene(200, 150, seed) for seed in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Name → (bytes, the code of the refusal). None of them is a photo to keep."""
    jpeg, png = encoded(scene(400, 300), "JPEG"), encoded(scene(400, 300), "PNG")
    webp, heic = encoded(scene(400, 300), "WEBP"), encoded(scene(400, 300), "HEIF")
    garbled = bytearray(png)
    garbled[200:260] = b"\xaa" * 60
    return {
        "nothing": (b"", "photo_empty"),
        "one byte": (b"\xff", "photo_format_not_allowed"),
        "50 MB and one byte": (jpeg + b"\0" * (50 * 1024 * 1024 + 1 - len(jpeg)), "photo_too_large"),
        "JPEG cut in half": (jpeg[: len(jpeg) // 2], "photo_truncated"),
        "JPEG without its last byte": (jpeg[:-1], "photo_truncated"),
        "PNG cut in half": (png[: len(png) // 2], "photo_truncated"),
        "WEBP cut in half": (webp[: len(webp) // 2], "photo_truncated"),
        "HEIC cut in half": (heic[: len(heic) // 2], "photo_truncated"),
        "PNG with garbled pixels": (bytes(garbled), "photo_broken"),
        "89 megapixels in a small PNG": (bomb_png(10_000, 8_900), "photo_too_many_pixels"),
        "a line of pixels": (bomb_png(20_000, 1), "photo_too_small"),
        "ZIP behind a JPEG": (zip_behind_jpeg(), "photo_polyglot"),
        "page inside a JPEG": (_with_segment(jpeg, 0xFE, b"<script>alert(1)</script>"), "photo_polyglot"),
        "PDF behind a PNG": (png + b"%PDF-1.7 ...", "photo_polyglot"),
        "EXIF that loops": (looping_exif_jpeg(), "photo_exif_loop"),
        "EXIF that points home": (exif_pointing_home_jpeg(), "photo_exif_loop"),
        "GIF": (encoded(scene(200, 150), "GIF"), "photo_format_not_allowed"),
        "GIF frames": (animated("GIF"), "photo_format_not_allowed"),
        "PNG frames": (animated("PNG"), "photo_animated"),
        "WEBP frames": (animated("WEBP"), "photo_animated"),
        "BMP named photo.jpg": (encoded(scene(200, 150), "BMP"), "photo_format_not_allowed"),
        "TIFF named photo.jpg": (encoded(scene(200, 150), "TIFF"), "photo_format_not_allowed"),
        "SVG named photo.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo_format_not_allowed"),
        "text named photo.png": (b"hello, I am a photo\n" * 50, "photo_format_not_allowed"),
        "program named photo.webp": (b"\x7fELF\x02\x01\x01" + b"\0" * 500, "photo_format_not_allowed"),
        "JPEG of marks only": (b"\xff\xd8" + b"\xff" * 100_000, "photo_truncated"),
        "JPEG start and end, nothing between": (b"\xff\xd8\xff\xd9", "photo_broken"),
    }


def garbled_copies(count: int, seed: int = 7) -> list[bytes]:
    """Real photos with bytes overwritten, cut out or doubled at random places."""
    chance = random.Random(seed)
    whole = [
        encoded(scene(300, 200), "JPEG", exif=camera_exif()),
        encoded(scene(300, 200), "JPEG", progressive=True),
        encoded(scene(300, 200), "PNG"),
        encoded(scene(300, 200), "WEBP"),
        encoded(scene(300, 200), "HEIF"),
    ]
    copies = []
    for index in range(count):
        raw = bytearray(whole[index % len(whole)])
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(raw))
            match chance.randrange(4):
                case 0:
                    raw[at] = chance.randrange(256)
                case 1:
                    raw[at : at + 8] = chance.randbytes(8)
                case 2:
                    del raw[at : at + chance.randrange(1, 40)]
                case _:
                    raw[at:at] = raw[at : at + chance.randrange(1, 400)]
        copies.append(bytes(raw))
    return copies


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _with_segment(jpeg: bytes, marker: int, body: bytes) -> bytes:
    return jpeg[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
