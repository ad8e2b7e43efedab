"""The photo child: `python -m dispatch.adapters.photos.child`, started and fed by PhotoWorker only.

Reads frames from standard input and answers each on standard output until the input ends. It limits its own
memory, and processor seconds photo by photo: a hostile file can end this process, never its parent.
"""

import gc
import os
import resource
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dispatch.adapters.photos.framing import read_frame, write_frame
from dispatch.adapters.photos.model import ExifFacts, PhotoLimits, PhotoRefused, ProcessedPhoto, Stamp
from dispatch.adapters.photos.pipeline import process_photo


def main() -> None:
    """Answers photos until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # A library that prints must not break the framing.
    os.dup2(2, 1)
    setup = read_frame(source)
    if setup is None:
        return
    limits = PhotoLimits(**setup.head["limits"])
    font_path = Path(setup.head["font_path"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    write_frame(target, {"ready": True})
    while (photo := read_frame(source)) is not None:
        _allow_cpu_s(limits.cpu_s)
        stamp = Stamp(**photo.head["stamp"]) if photo.head["stamp"] else None
        try:
            processed = process_photo(photo.body, stamp, limits, font_path)
            head, body = _answer(processed)
        except PhotoRefused as refused:
            head, body = {"refused": refused.code, "facts": refused.facts}, b""
        write_frame(target, head, body)
        if head.get("refused") == "photo_out_of_memory":
            return
        del photo, body
        gc.collect()


def _allow_cpu_s(seconds: int) -> None:
    """From now on this many processor seconds; then the kernel ends the process with SIGXCPU."""
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, resource.RLIM_INFINITY))


def _answer(processed: ProcessedPhoto) -> tuple[dict[str, Any], bytes]:
    head = asdict(processed)
    large, thumb = head.pop("large_jpeg"), head.pop("thumb_webp")
    exif: ExifFacts = processed.exif
    head["exif"]["taken_at"] = exif.taken_at.isoformat() if exif.taken_at else None
    return head | {"large_bytes": len(large)}, large + thumb


if __name__ == "__main__":
    main()
