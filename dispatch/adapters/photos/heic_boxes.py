"""Where in a HEIC file the pieces of its main picture lie, read from the boxes and judged as hostile.

ISO/IEC 14496-12 (boxes) and 23008-12 (items, grids, turns). Whatever is unusual is answered with None: the
complete reader, which costs twice the time, then has the word. No image library is needed here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

T = TypeVar("T")

_PIECES_MAX = 1024
_BOXES_MAX = 8192
_KNOWN = {b"ispe", b"pixi", b"colr", b"hvcC", b"irot", b"imir"}
_ALTERS = {b"irot", b"imir", b"clap"}
_BT601 = {5, 6}
_FULL_RANGE = 0x80


class Span(NamedTuple):
    """From the first byte to behind the last."""

    start: int
    end: int


@dataclass(frozen=True)
class CodedPicture:
    """The main picture: `columns` x `rows` pieces of 8-bit 4:2:0 HEVC, left to right, then down."""

    size: tuple[int, int]
    """Width and height in pixels before the turns; pieces may reach beyond."""
    columns: int
    rows: int
    piece_size: tuple[int, int]
    setup: bytes
    """The decoder's set-up (hvcC), the same for all pieces."""
    pieces: tuple[tuple[Span, ...], ...]
    """Of each piece, the spans of the file that hold it."""
    turns: tuple[tuple[bytes, int], ...]
    """In the order to apply: (b"irot", quarter turns to the left) or (b"imir", 1 left to right, 0 top to bottom)."""
    colours_stated: bool
    """The file itself states full-range BT.601; otherwise only the coded pieces can say."""


@dataclass(frozen=True)
class _Item:
    kind: bytes
    spans: tuple[Span, ...]
    properties: tuple[tuple[bytes, bytes, bool], ...]
    """Name, content, and whether a reader that does not know it must give up."""

    def first(self, name: bytes) -> bytes:
        return _first(((known, content) for known, content, _ in self.properties), name)

    def usual(self) -> bool:
        return all(name in _KNOWN or not (needed or name == b"clap") for name, _, needed in self.properties)


def main_picture(raw: bytes) -> CodedPicture | None:
    """The pieces of the main picture; None where the file is damaged or holds more than a plain photo."""
    try:
        return _main_picture(raw)
    except (LookupError, ValueError):
        return None


def _main_picture(raw: bytes) -> CodedPicture | None:
    file = _File(raw)
    main = file.item(file.main_id)
    if main.kind == b"grid":
        columns, rows, size = file.grid(main)
        items = [file.item(number) for number in file.parts_of(file.main_id)]
    else:
        columns, rows, size, items = 1, 1, _size(main), [main]
    setup, piece_size = items[0].first(b"hvcC"), _size(items[0])
    plain = (
        len(items) == columns * rows <= _PIECES_MAX
        and main.usual()
        and all(_same_kind(item, setup, piece_size, alone=item is main) for item in items)
        and (setup[16] & 3, setup[17] & 7, setup[18] & 7) == (1, 0, 0)
        and piece_size[0] * columns >= size[0] > piece_size[0] * (columns - 1)
        and piece_size[1] * rows >= size[1] > piece_size[1] * (rows - 1)
        and sum(end - start for item in items for start, end in item.spans) <= len(raw)
    )
    stated = [content for item in (main, items[0]) for name, content, _ in item.properties if name == b"colr"]
    nclx = [content for content in stated if content[:4] == b"nclx"]
    if not plain or not all(_is_full_bt601(content) for content in nclx):
        return None
    turns = tuple((name, content[0] & 3) for name, content, _ in main.properties if name in _ALTERS)
    pieces = tuple(item.spans for item in items)
    return CodedPicture(size, columns, rows, piece_size, setup, pieces, turns, bool(nclx))


def _same_kind(item: _Item, setup: bytes, size: tuple[int, int], *, alone: bool) -> bool:
    altered = not alone and any(name in _ALTERS for name, _, _ in item.properties)
    return (
        item.kind == b"hvc1"
        and item.usual()
        and not altered
        and item.first(b"hvcC") == setup
        and _size(item) == size
    )


def _size(item: _Item) -> tuple[int, int]:
    ispe = item.first(b"ispe")
    return _number(ispe, 4, 4), _number(ispe, 8, 4)


def _is_full_bt601(nclx: bytes) -> bool:
    return _number(nclx, 8, 2) in _BT601 and bool(nclx[10] & _FULL_RANGE)


def _number(raw: bytes, at: int, size: int) -> int:
    """Big-endian; raises ValueError where the bytes end before."""
    if at + size > len(raw):
        raise ValueError("the box ends early")
    return int.from_bytes(raw[at : at + size], "big")


def _first(named: Iterable[tuple[bytes, T]], name: bytes) -> T:
    for known, content in named:
        if known == name:
            return content
    raise LookupError(name)


def _boxes(raw: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first and behind the last byte of the content of each box; raises ValueError for one that does not fit."""
    at = start
    for _ in range(_BOXES_MAX):
        if at + 8 > end:
            return
        size, name, body = _number(raw, at, 4), raw[at + 4 : at + 8], at + 8
        if size == 1:
            size, body = _number(raw, at + 8, 8), at + 16
        elif size == 0:
            size = end - at
        if not body - at <= size <= end - at:
            raise ValueError("a box is larger than what holds it")
        yield name, body, at + size
        at += size
    raise ValueError("too many boxes")


class _File:
    """The tables of a file's `meta` box."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        meta = _first(((name, Span(start, end)) for name, start, end in _boxes(raw, 0, len(raw))), b"meta")
        inside = {name: Span(start, end) for name, start, end in _boxes(raw, meta.start + 4, meta.end)}
        self._in_meta = {name: raw[start:end] for name, (start, end) in inside.items()}
        self._idat = inside[b"idat"].start if b"idat" in inside else len(raw)
        pitm = self._in_meta[b"pitm"]
        self.main_id = _number(pitm, 4, 4 if pitm[0] else 2)
        self._kinds = dict(self._read_kinds(self._in_meta[b"iinf"]))
        self._spans = dict(self._read_spans(self._in_meta[b"iloc"]))
        iprp = self._in_meta[b"iprp"]
        tables = {name: iprp[start:end] for name, start, end in _boxes(iprp, 0, len(iprp))}
        ipco = tables[b"ipco"]
        self._all_properties = [(name, ipco[start:end]) for name, start, end in _boxes(ipco, 0, len(ipco))]
        self._properties = dict(self._read_properties(tables[b"ipma"]))

    def item(self, number: int) -> _Item:
        return _Item(self._kinds[number], self._spans[number], self._properties[number])

    def parts_of(self, number: int) -> list[int]:
        """The items that a grid is laid out of."""
        iref = self._in_meta[b"iref"]
        wide = 4 if iref[0] else 2
        for name, start, _ in _boxes(iref, 4, len(iref)):
            if name == b"dimg" and _number(iref, start, wide) == number:
                count, first = _number(iref, start + wide, 2), start + wide + 2
                return [_number(iref, first + wide * index, wide) for index in range(count)]
        return []

    def grid(self, item: _Item) -> tuple[int, int, tuple[int, int]]:
        """Columns, rows, and the width and height of what they show."""
        body = b"".join(self._raw[start:end] for start, end in item.spans)
        wide = 4 if body[1] & 1 else 2
        return body[3] + 1, body[2] + 1, (_number(body, 4, wide), _number(body, 4 + wide, wide))

    def _read_kinds(self, iinf: bytes) -> Iterator[tuple[int, bytes]]:
        for _, start, _ in _boxes(iinf, 8 if iinf[0] else 6, len(iinf)):
            wide = {2: 2, 3: 4}[iinf[start]]
            at = start + 4 + wide + 2
            yield _number(iinf, start + 4, wide), iinf[at : at + 4]

    def _read_spans(self, iloc: bytes) -> Iterator[tuple[int, tuple[Span, ...]]]:
        version = iloc[0]
        wide = 4 if version == 2 else 2
        of_offset, of_length, of_base = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
        of_index = iloc[5] & 15 if version else 0
        at = 6 + wide
        for _ in range(_number(iloc, 6, wide)):
            number = _number(iloc, at, wide)
            at += wide
            method = _number(iloc, at, 2) & 15 if version else 0
            at += 4 if version else 2
            base = _number(iloc, at, of_base) + {0: 0, 1: self._idat}[method]
            extents = _number(iloc, at + of_base, 2)
            at += of_base + 2
            spans = []
            for _ in range(extents):
                start = base + _number(iloc, at + of_index, of_offset)
                end = start + _number(iloc, at + of_index + of_offset, of_length)
                at += of_index + of_offset + of_length
                spans.append(Span(start, end))
            if all(start < end <= len(self._raw) for start, end in spans):
                yield number, tuple(spans)

    def _read_properties(self, ipma: bytes) -> Iterator[tuple[int, tuple[tuple[bytes, bytes, bool], ...]]]:
        of_number, of_index = (4 if ipma[0] else 2), (2 if ipma[3] & 1 else 1)
        needed_bit = 0x80 << (8 * (of_index - 1))
        at = 8
        for _ in range(_number(ipma, 4, 4)):
            number, count = _number(ipma, at, of_number), _number(ipma, at + of_number, 1)
            at += of_number + 1
            own = []
            for _ in range(count):
                said = _number(ipma, at, of_index)
                at += of_index
                if index := said & ~needed_bit:
                    own.append((*self._all_properties[index - 1], bool(said & needed_bit)))
            yield number, tuple(own)
