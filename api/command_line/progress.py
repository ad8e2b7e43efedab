"""Lines that say what the command is doing, on standard error: standard output is for answers."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """One line, at once."""
    print(f"paidan: {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announces something that may take over two seconds, and says how long it took when it did."""
    say(f"{text} …")
    began = time.monotonic()
    yield
    took_s = time.monotonic() - began
    if took_s > 2:
        say(f"{text}: done in {took_s:.0f} s")
