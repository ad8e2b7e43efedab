"""Compiled code kept beside its sources: numba's cache forgets a function when its own file changes, not when a
function it calls does."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def forget_stale(folder: Path, sources: Iterable[Path], compiled: str) -> bool:
    """Deletes what was compiled (a pattern such as `kernel*.nb[ic]` in the folder's __pycache__) when any of the
    sources changed. Returns whether it did. Where the folder cannot be written there is no cache either.
    """
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    cache = folder / "__pycache__"
    try:
        cache.mkdir(exist_ok=True)
        with (cache / "kernels.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            stamp = cache / "kernels.sha256"
            if stamp.is_file() and stamp.read_text() == digest:
                return False
            for old in cache.glob(compiled):
                old.unlink(missing_ok=True)
            stamp.write_text(digest)
    except OSError:
        if os.access(cache, os.W_OK):
            raise
        return False
    return True
