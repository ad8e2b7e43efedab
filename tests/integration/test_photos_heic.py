"""HEIC photos decoded smaller: the same picture as from the complete reader, which keeps all that is odd."""

import io
import random
import struct
from collections.abc import Callable

import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageStat

from dispatch.adapters.photos import PhotoLimits, PhotoRefused, PhotoWorker, heic
from dispatch.adapters.photos.heic_boxes import main_picture
from tests.integration import heic_files as files
from tests.integration.photo_files import camera_exif, encoded, scene

pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)

SIZE = (1400, 900)
SIDE_PX = 640
"""Small enough for a half of SIZE."""


@pytest.fixture(scope="module")
def plain() -> bytes:
    return files.phone_heic(size=SIZE)


def full(raw: bytes) -> Image.Image:
    """As the complete reader decodes it."""
    image = Image.open(io.BytesIO(raw))
    image.load()
    return image


def drafted(raw: bytes, side_px: int = SIDE_PX) -> Image.Image | None:
    """None where the photo is left to the complete reader."""
    image = Image.open(io.BytesIO(raw))
    smaller = heic.drafted(raw, image, side_px)
    return None if smaller is image else smaller


def off_by(one: Image.Image, other: Image.Image) -> float:
    """Root of the mean square of all differences, of 255."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).rms)


def turned(*turns: tuple[bytes, int]) -> list[files.Property]:
    return [(name, bytes([value]), True) for name, value in turns]


@pytest.mark.parametrize(
    "turns",
    [
        [],
        *([(b"irot", quarters)] for quarters in (1, 2, 3)),
        *([(b"imir", axis)] for axis in (0, 1)),
        [(b"irot", 1), (b"imir", 1)],
        [(b"imir", 0), (b"irot", 3)],
        [(b"irot", 3), (b"irot", 2), (b"imir", 0)],
    ],
    ids=str,
)
def test_a_phones_photo_looks_as_the_complete_reader_shows_it(turns: list[tuple[bytes, int]]) -> None:
    raw = files.phone_heic(size=SIZE, turns=turned(*turns))
    smaller, whole = drafted(raw), full(raw)
    assert smaller is not None
    assert off_by(smaller, whole.reduce(2)) < 1.5
    wrong = smaller.transpose(Image.Transpose.ROTATE_180)
    assert off_by(wrong, whole.reduce(2)) > 20


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_written_by_another_program_is_set_upright_once(orientation: int) -> None:
    raw = encoded(PICTURE, "HEIF", exif=camera_exif(orientation), tile_size=256 if orientation > 4 else 0)
    smaller, whole = drafted(raw, 320), full(raw)
    assert smaller is not None
    assert off_by(smaller, whole.reduce(2)) < 1.5
    assert smaller.getexif().get(0x0112, 1) == 1
    assert smaller.getexif()[0x0110] == "P60"


def test_a_quarter_is_decoded_where_that_still_is_large_enough() -> None:
    raw = files.phone_heic(size=(1399, 901))
    smaller = drafted(raw, 320)
    assert smaller is not None
    assert smaller.size == (350, 226)
    assert off_by(smaller, full(raw).reduce(4)) < 1.5


def _spoil(index: int, coded: bytes | None = None, setup: bytes | None = None) -> bytes:
    def change(laid: list[files.Piece]) -> None:
        old = laid[index]
        laid[index] = files.Piece(setup or old.setup, coded or old.coded)

    return files.phone_heic(size=SIZE, change=change)


def _nclx(matrix: int, full_range: int) -> bytes:
    """A photo whose file states its colours so."""
    stated = b"nclx" + struct.pack(">HHHB", 1, 13, matrix, full_range)
    return files.phone_heic(size=SIZE, extra=[(b"colr", stated, False)])


def _ten_bits_stated() -> bytes:
    raw = bytearray(encoded(PICTURE, "HEIF"))
    raw[raw.index(b"hvcC") + 4 + 17] |= 2
    return bytes(raw)


def _transparent() -> bytes:
    picture = PICTURE.convert("RGBA")
    picture.putalpha(PICTURE.convert("L"))
    return encoded(picture, "HEIF")


def _piece() -> files.Piece:
    return files.pieces(0.0)[0]


PICTURE = scene(700, 450)
CROP = (b"clap", struct.pack(">8I", 1000, 1, 800, 1, 0, 1, 0, 1), True)
ODD: dict[str, Callable[[], bytes]] = {
    "small": lambda: files.phone_heic(size=(600, 400)),
    "transparent": _transparent,
    "grey": lambda: encoded(PICTURE.convert("L"), "HEIF"),
    "colours at full size": lambda: encoded(PICTURE, "HEIF", chroma=444),
    "10 bits stated": _ten_bits_stated,
    "cropped": lambda: files.phone_heic(size=SIZE, extra=[CROP]),
    "BT.709": lambda: _nclx(1, 0x80),
    "limited range": lambda: _nclx(6, 0),
    "pieces set up apart": lambda: _spoil(3, setup=_piece().setup + b"\0"),
    "a piece of another size": lambda: _spoil(3, coded=files.coded(scene(256, 256)).coded),
    "a piece cut short": lambda: _spoil(3, coded=_piece().coded[: len(_piece().coded) // 2]),
    "a piece of nothing": lambda: _spoil(3, coded=b"\0\0\0\1\0"),
    "a piece twice": lambda: _spoil(3, coded=_piece().coded * 2),
    "pieces for less": lambda: files.grid([_piece()] * 2, 2, 1, SIZE, []),
    "a piece too few": lambda: files.grid([_piece()] * 5, 3, 2, SIZE, []),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_photo_is_left_to_the_complete_reader(name: str) -> None:
    assert drafted(ODD[name](), 320) is None


def test_what_must_be_obeyed_and_is_not_known_is_not_guessed_at() -> None:
    for needed in (True, False):
        known = main_picture(files.phone_heic(size=SIZE, extra=[(b"rloc", b"\0" * 12, needed)]))
        assert (known is None) == needed


def test_pieces_that_claim_more_pixels_than_the_file_are_refused_before_a_frame_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is sent as 512 pixels square is coded as 2048 square. Sabotage: with the cap off, it is decoded."""
    huge = files.coded(Image.new("RGB", (2048, 2048), "teal"))
    hidden = files.Piece(huge.setup, huge.coded)
    raw = files.grid([hidden] * 6, 3, 2, SIZE, [])
    seen: list[object] = []
    monkeypatch.setattr(heic, "_refuse_unlike", lambda frame, _: seen.append(frame.width))
    assert drafted(raw) is None
    assert seen == []
    monkeypatch.setattr(heic, "_BEYOND_PX", 4096)
    drafted(raw)
    assert seen[:1] == [2048]


def test_without_the_check_of_each_piece_a_wrong_one_would_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: shows that it is the check that leaves it to the complete reader."""
    raw = files.phone_heic(size=SIZE, change=lambda laid: laid.__setitem__(0, files.coded(scene(496, 496))))
    wrong = _spoil(0, setup=files.pieces(0.0)[0].setup, coded=files.coded(scene(496, 496)).coded)
    assert (drafted(raw), drafted(wrong)) == (None, None)
    monkeypatch.setattr(heic, "_refuse_unlike", lambda *_: None)
    monkeypatch.setattr(heic, "_frames", lambda *_: iter([_Frame()] * 6))
    assert drafted(wrong) is not None


class _Frame:
    """A decoded piece of one colour, whatever the file says."""

    width = height = 512

    class _Plane(bytes):
        line_size = 512

    planes = (_Plane(b"\x10" * 512 * 512), _Plane(b"\x80" * 512 * 256), _Plane(b"\x80" * 512 * 256))


def test_2000_garbled_files_never_trip_the_reading_of_boxes(plain: bytes) -> None:
    chance, outcomes = random.Random(11), []
    header = plain.index(b"mdat")
    for _ in range(2000):
        raw = bytearray(plain)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(header)
            match chance.randrange(4):
                case 0:
                    raw[at] = chance.randrange(256)
                case 1:
                    raw[at : at + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1"))
                case 2:
                    del raw[at : at + chance.randrange(1, 40)]
                case _:
                    raw[at:at] = raw[at : at + chance.randrange(1, 200)]
        picture = main_picture(bytes(raw))
        if picture is not None:
            assert all(end <= len(raw) for spans in picture.pieces for _, end in spans)
        outcomes.append(picture is not None)
    assert 0 < sum(outcomes) < 2000


def test_garbled_photos_are_processed_or_refused_and_nothing_else(plain: bytes) -> None:
    limits = PhotoLimits(large_side_px=SIDE_PX)
    chance, kept = random.Random(5), 0
    with PhotoWorker(limits, children=1) as worker:
        for _ in range(25):
            raw = bytearray(plain)
            for _ in range(chance.randrange(1, 8)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
            try:
                kept += worker.process(bytes(raw), None).width > 0
            except PhotoRefused:
                continue
        assert worker.process(plain, None).width == SIZE[0]
    assert kept > 0


def test_48_megapixels_fit_the_childs_memory_and_are_capped_by_what_the_header_says() -> None:
    with PhotoWorker(children=1) as worker:
        photo = worker.process(files.phone_heic(size=(8064, 6048)), None)
        assert (photo.width, photo.height, photo.content_type) == (8064, 6048, "image/heic")
        assert max(Image.open(io.BytesIO(photo.large_jpeg)).size) == 1600
        with pytest.raises(PhotoRefused) as refused:
            worker.process(files.phone_heic(size=(11_000, 8_100)), None)
    assert refused.value.code == "photo_too_many_pixels"
