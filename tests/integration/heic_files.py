"""HEIC files as phones lay them out: a grid of coded pieces, written box by box so that each can be odd."""

import io
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import pillow_heif
from PIL import Image

from dispatch.adapters.photos.heic_boxes import main_picture
from tests.integration.photo_files import scene

PIECE_PX = 512
Property = tuple[bytes, bytes, bool]
"""Name, content, and whether a reader that does not know it must give up."""


@dataclass(frozen=True)
class Piece:
    """One coded picture and its decoder's set-up."""

    setup: bytes
    coded: bytes
    size: tuple[int, int] = (PIECE_PX, PIECE_PX)


def textured(seed: int, grain: float, size_px: int = PIECE_PX) -> Image.Image:
    """A scene with texture of every size, as leaves, plaster and a sensor's noise have; `grain` from 0 to 1."""
    picture = scene(size_px, size_px, seed)
    for divisor in (1, 2, 4, 8, 16):
        side = size_px // divisor
        coarse = Image.effect_noise((side, side), 60).resize((size_px, size_px), Image.Resampling.BICUBIC)
        picture = Image.blend(picture, coarse.convert("RGB"), grain)
    return picture


def coded(picture: Image.Image, quality: int = 60, **options: object) -> Piece:
    """The picture coded alone and taken out of its file."""
    pillow_heif.register_heif_opener()
    target = io.BytesIO()
    picture.save(target, "HEIF", quality=quality, **options)
    raw = target.getvalue()
    inside = main_picture(raw)
    if inside is None:
        raise ValueError("only plain 8-bit pictures can be pieces")
    ((span,),) = inside.pieces
    return Piece(inside.setup, raw[span.start : span.end], inside.piece_size)


@cache
def pieces(grain: float, quality: int = 60) -> tuple[Piece, ...]:
    """Four different ones."""
    return tuple(coded(textured(seed, grain), quality) for seed in range(4))


def phone_heic(
    grain: float = 0.0,
    size: tuple[int, int] = (4032, 3024),
    *,
    quality: int = 60,
    turns: Iterable[Property] = (),
    extra: Iterable[Property] = (),
    change: Callable[[list[Piece]], None] | None = None,
) -> bytes:
    """A photo of `size` pixels out of 512 px pieces. `turns` are properties of the whole picture, `extra` more of
    them; `change` may spoil the list of pieces."""
    columns, rows = -(-size[0] // PIECE_PX), -(-size[1] // PIECE_PX)
    four = pieces(grain, quality)
    laid = [four[(index * 7 + index // 5) % 4] for index in range(columns * rows)]
    if change:
        change(laid)
    return grid(laid, columns, rows, size, [*turns, *extra])


def grid(laid: list[Piece], columns: int, rows: int, size: tuple[int, int], own: list[Property]) -> bytes:
    """Item 1 is the grid, the pieces follow; offsets are filled in once the length of `meta` is known."""
    properties: list[Property] = []

    def numbered(wanted: Iterable[Property]) -> bytes:
        said = []
        for one in wanted:
            if one not in properties:
                properties.append(one)
            said.append(properties.index(one) + 1 | (0x80 if one[2] else 0))
        return bytes([len(said), *said])

    shown = [(b"ispe", struct.pack(">III", 0, *size), False), *own]
    uses = [struct.pack(">H", 1) + numbered(shown)]
    for number, piece in enumerate(laid, 2):
        ispe = (b"ispe", struct.pack(">III", 0, *piece.size), False)
        uses.append(struct.pack(">H", number) + numbered([(b"hvcC", piece.setup, True), ispe]))
    layout = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size)
    kinds = [(1, b"grid"), *((number, b"hvc1") for number in range(2, len(laid) + 2))]
    infe = b"".join(box(b"infe", struct.pack(">BBHHH", 2, 0, 0, n, 0) + kind + b"\0") for n, kind in kinds)
    parts = struct.pack(">HH", 1, len(laid)) + b"".join(struct.pack(">H", n) for n, _ in kinds[1:])
    stored = [layout, *(piece.coded for piece in laid)]

    def meta(data_at: int) -> bytes:
        places, at = [], data_at
        for number, body in enumerate(stored, 1):
            places.append(struct.pack(">HHHII", number, 0, 1, at, len(body)))
            at += len(body)
        ipco = box(b"ipco", b"".join(box(name, content) for name, content, _ in properties))
        ipma = box(b"ipma", struct.pack(">II", 0, len(uses)) + b"".join(uses))
        inside = (
            box(b"hdlr", struct.pack(">II4s12xB", 0, 0, b"pict", 0))
            + box(b"pitm", struct.pack(">IH", 0, 1))
            + box(b"iinf", struct.pack(">IH", 0, len(kinds)) + infe)
            + box(b"iref", b"\0\0\0\0" + box(b"dimg", parts))
            + box(b"iprp", ipco + ipma)
            + box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0, len(places)) + b"".join(places))
        )
        return box(b"meta", b"\0\0\0\0" + inside)

    start = box(b"ftyp", b"heic\0\0\0\0mif1heic")
    return start + meta(len(start) + len(meta(0)) + 8) + box(b"mdat", b"".join(stored))


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body
