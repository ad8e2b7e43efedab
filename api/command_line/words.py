"""Numbers on a command line: read, and refused with a sentence where nothing could come of them."""

import argparse
import math
from pathlib import Path

MOST_PROCESSES = 64


def port(text: str) -> int:
    """A TCP port one can listen on."""
    return _whole(text, 1, 65_535)


def processes(text: str) -> int:
    """How many processes of a kind this host runs; 0 is none."""
    return _whole(text, 0, MOST_PROCESSES)


def minutes(text: str) -> float:
    """A length in minutes, a day at most."""
    return _number(text, 1440)


def speed(text: str) -> float:
    """How fast a clock runs, business seconds per second; what PAIDAN_CLOCK takes."""
    return _number(text, 10_000)


def new_file(text: str) -> Path:
    """A file that can be written: found out before the work, not after it."""
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no file in a folder that is there")
    return path


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is needed, not {text!r}")
    return int(text)


def _number(text: str, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise argparse.ArgumentTypeError(f"a number above 0, at most {most:g}, is needed, not {text!r}")
    return number
