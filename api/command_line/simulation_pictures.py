"""Real JPEGs without an imaging library: coarse mosaics in which every 8×8 block has one colour.

Baseline JPEG after ITU-T T.81: 4:4:4, quantiser 8 (so that a block's mean is its DC coefficient), the
standard DC table of annex K, and an AC table with the end-of-block symbol alone.
"""

import random
import struct
from collections.abc import Callable

BLOCKS_WIDE, BLOCKS_HIGH = 60, 45

Colour = tuple[float, float, float]
_DC_COUNTS = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)
_DC_CODES = {
    0: (0b00, 2), 1: (0b010, 3), 2: (0b011, 3), 3: (0b100, 3), 4: (0b101, 3), 5: (0b110, 3),
    6: (0b1110, 4), 7: (0b11110, 5), 8: (0b111110, 6),
}  # fmt: skip


def site_photo(seed: int) -> bytes:
    """A wall, a floor and a machine with some lamps, another scene for every seed."""
    rnd = random.Random(seed)
    wall, floor, machine = (_muted(*(rnd.uniform(40, 215) for _ in range(3))) for _ in range(3))
    horizon = rnd.randrange(24, 36)
    left, top = rnd.randrange(5, 25), rnd.randrange(5, 18)
    right, bottom = left + rnd.randrange(18, 32), top + rnd.randrange(12, 24)
    lamps = {(rnd.randrange(left, right), rnd.randrange(top, bottom)) for _ in range(9)}

    def colour(x: int, y: int) -> Colour:
        base = wall if y < horizon else floor
        if left <= x < right and top <= y < bottom:
            base = (250.0, 80.0, 40.0) if (x, y) in lamps else machine
        shade = 0.75 + 0.25 * (1 - y / BLOCKS_HIGH) + rnd.uniform(-0.05, 0.05)
        return base[0] * shade, base[1] * shade, base[2] * shade

    return encode(BLOCKS_WIDE, BLOCKS_HIGH, colour)


def _muted(red: float, green: float, blue: float) -> Colour:
    """The colour as plaster, tiles and sheet metal have it: as bright, hardly coloured."""
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    return grey + 0.2 * (red - grey), grey + 0.2 * (green - grey), grey + 0.2 * (blue - grey)


def signature_picture(seed: int) -> bytes:
    """A dark wavy stroke on white."""
    rnd = random.Random(seed)
    height, stroke = 10.0, set()
    for x in range(4, 46):
        height = min(16.0, max(3.0, height + rnd.uniform(-3, 3)))
        stroke |= {(x, int(height)), (x, int(height) + 1)}
    return encode(50, 20, lambda x, y: (25.0, 25.0, 60.0) if (x, y) in stroke else (250.0, 250.0, 250.0))


def encode(wide: int, high: int, colour: Callable[[int, int], Colour]) -> bytes:
    """A JPEG of wide × high blocks; `colour` gives a block's red, green and blue, 0 to 255."""
    bits = _Bits()
    previous = [0, 0, 0]
    for y in range(high):
        for x in range(wide):
            for component, value in enumerate(_ycc(*colour(x, y))):
                bits.put_difference(value - previous[component])
                previous[component] = value
    quantiser = _segment(0xDB, b"\0" + bytes([8] * 64))
    frame = struct.pack(">BHHB", 8, high * 8, wide * 8, 3)
    frame += b"".join(bytes([component, 0x11, 0]) for component in (1, 2, 3))
    tables = _segment(0xC4, b"\x00" + bytes(_DC_COUNTS) + bytes(range(12)))
    tables += _segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
    scan = b"\x03" + b"".join(bytes([component, 0x00]) for component in (1, 2, 3)) + b"\x00\x3f\x00"
    head = _segment(0xE0, b"JFIF\0" + struct.pack(">BBBHHBB", 1, 1, 0, 1, 1, 0, 0))
    body = head + quantiser + _segment(0xC0, frame) + tables + _segment(0xDA, scan) + bits.finish()
    return b"\xff\xd8" + body + b"\xff\xd9"


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def _ycc(red: float, green: float, blue: float) -> tuple[int, int, int]:
    """JFIF's luminance and chrominances, shifted to -128 … 127."""
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    values = (y - 128, (blue - y) / 1.772, (red - y) / 1.402)
    return tuple(max(-128, min(127, round(value))) for value in values)  # type: ignore[return-value]


class _Bits:
    """Entropy-coded bits, with a zero byte stuffed behind every 0xFF."""

    def __init__(self) -> None:
        self._value = self._count = 0
        self._bytes = bytearray()

    def put_difference(self, difference: int) -> None:
        """A DC difference by category and offset, then the end of the block."""
        category = abs(difference).bit_length()
        offset = difference if difference >= 0 else difference + (1 << category) - 1
        self._put(*_DC_CODES[category])
        self._put(offset, category)
        self._put(0, 1)

    def _put(self, value: int, count: int) -> None:
        self._value = self._value << count | value
        self._count += count
        while self._count >= 8:
            self._count -= 8
            byte = self._value >> self._count & 0xFF
            self._bytes += b"\xff\x00" if byte == 0xFF else bytes([byte])
            self._value &= (1 << self._count) - 1

    def finish(self) -> bytes:
        if self._count:
            self._put((1 << 8 - self._count) - 1, 8 - self._count)
        return bytes(self._bytes)
