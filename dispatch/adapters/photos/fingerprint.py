"""Perceptual hashes: two pictures of one scene differ in few bits. No image library needed here.

Two that look at different things: `fingerprints` at the slow waves of the whole picture, `gradient_fingerprints` at
which of two neighbouring places is brighter. Scenes of one kind (a wall, a floor, a machine) share the waves now
and then, and hardly ever both.
"""

import math
from functools import cache
from itertools import pairwise

GRAY_SIDE_PX = 32
_LOW = 8
GRADIENT_SIZE_PX = (9, 8)


def fingerprints(gray: bytes) -> tuple[str, str]:
    """The hash of a 32×32 gray picture (row by row, one byte a pixel) and of its mirror image, in hex.

    The classic pHash: which of the 8×8 lowest DCT-II coefficients lie above their median. Mirroring a picture
    only flips the sign of the odd horizontal coefficients, so the second hash costs nothing.
    """
    rows = [gray[i : i + GRAY_SIDE_PX] for i in range(0, GRAY_SIDE_PX * GRAY_SIDE_PX, GRAY_SIDE_PX)]
    waves = _cosines()
    across = [[sum(map(float.__mul__, wave, map(float, row))) for row in rows] for wave in waves]
    coefficients = [[sum(map(float.__mul__, wave, column)) for column in across] for wave in waves]
    mirrored = [[-value if x % 2 else value for x, value in enumerate(line)] for line in coefficients]
    return _hash(coefficients), _hash(mirrored)


def gradient_fingerprints(gray: bytes) -> tuple[str, str]:
    """The difference hash (dHash) of a 9×8 gray picture and of its mirror image, in hex: which places are brighter
    than the one to their left."""
    wide, high = GRADIENT_SIZE_PX
    rows = [gray[y * wide : (y + 1) * wide] for y in range(high)]
    return _steps(rows), _steps([row[::-1] for row in rows])


def fingerprint_distance(one: str, other: str) -> int:
    """How many of the 64 bits differ: up to about 10 is the same scene, about 32 is no relation."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _hash(coefficients: list[list[float]]) -> str:
    flat = [value for line in coefficients for value in line]
    # The first coefficient is the mean brightness: it carries no shape and would pull the median.
    ordered = sorted(flat[1:])
    median = ordered[len(ordered) // 2]
    bits = 0
    for value in flat:
        bits = bits << 1 | (value > median)
    return f"{bits:016x}"


def _steps(rows: list[bytes]) -> str:
    bits = 0
    for row in rows:
        for left, right in pairwise(row):
            bits = bits << 1 | (right > left)
    return f"{bits:016x}"


@cache
def _cosines() -> list[list[float]]:
    return [
        [math.cos(math.pi * frequency * (2 * i + 1) / (2 * GRAY_SIDE_PX)) for i in range(GRAY_SIDE_PX)]
        for frequency in range(_LOW)
    ]
