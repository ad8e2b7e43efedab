"""Perceptual hashes: two pictures of one scene differ in few bits. No image library needed here."""

import math
from functools import cache

GRAY_SIDE_PX = 32
_LOW = 8


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


@cache
def _cosines() -> list[list[float]]:
    return [
        [math.cos(math.pi * frequency * (2 * i + 1) / (2 * GRAY_SIDE_PX)) for i in range(GRAY_SIDE_PX)]
        for frequency in range(_LOW)
    ]
