"""A small pool of warm child processes that decode photos for the threads of one process."""

import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import dispatch
from dispatch.adapters.photos.fonts import find_font
from dispatch.adapters.photos.framing import Frame, begin_frame, read_frame, write_frame
from dispatch.adapters.photos.model import (
    ExifFacts,
    PhotoBusy,
    PhotoLimits,
    PhotoRefused,
    PhotoWorkerBroken,
    ProcessedPhoto,
    Stamp,
)

log = logging.getLogger(__name__)

_ANSWER_BYTES_MAX = 32 * 1024 * 1024
_START_S = 30.0
_COPY_BYTES = 1024 * 1024
_STAMP_CHARS = 500
_SAID = {field.name for field in fields(ProcessedPhoto)} | {"refused", "facts", "large_bytes"}
_EXIF = {field.name for field in fields(ExifFacts)}
_CODE_OF_SIGNAL = {-signal.SIGXCPU: "photo_too_slow"}


class PhotoWorker:
    """Processes photos in child processes; safe to call from many threads at once.

    Children start on first use, serve `recycle_after` photos and are then replaced. One that crashes, hangs
    or breaks a limit costs its own photo only.
    """

    def __init__(
        self,
        limits: PhotoLimits | None = None,
        *,
        children: int = 2,
        recycle_after: int = 200,
        font_path: Path | None = None,
    ) -> None:
        """Raises PhotoWorkerBroken without `font_path` when no font with Chinese type is installed."""
        self.limits = limits or PhotoLimits()
        self.font_path = font_path or find_font()
        self._recycle_after = recycle_after
        self._seats: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._seats.put(None)
        self._closed = False

    def process(self, photo: bytes | Path, stamp: Stamp | None) -> ProcessedPhoto:
        """The photo decoded, measured and reduced; a path is read in pieces and never fills this process.

        Raises PhotoRefused (see there), PhotoBusy when no child came free in `limits.wait_s`,
        PhotoWorkerBroken when no child can be started, OSError when the path cannot be read.
        """
        size = len(photo) if isinstance(photo, bytes) else photo.stat().st_size
        if size == 0:
            raise PhotoRefused("photo_empty")
        if size > self.limits.max_bytes:
            raise PhotoRefused("photo_too_large", bytes=size, max_bytes=self.limits.max_bytes)
        child = self._take_seat()
        try:
            if child is None or not child.alive():
                child = _Child(self.limits, self.font_path)
            return _result(child.ask(photo, size, stamp, self.limits.wall_s))
        finally:
            if child is not None and (
                self._closed or child.served >= self._recycle_after or not child.alive()
            ):
                child.end()
                child = None
            self._seats.put(child)

    def close(self) -> None:
        """Ends every idle child at once, and each busy one when its photo is done."""
        self._closed = True
        idle = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._seats.get_nowait())
        for child in idle:
            if child is not None:
                child.end()
            self._seats.put(None)

    def __enter__(self) -> "PhotoWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_seat(self) -> "_Child | None":
        try:
            return self._seats.get(timeout=self.limits.wait_s)
        except queue.Empty:
            raise PhotoBusy(waited_s=self.limits.wait_s) from None


class _Child:
    """One child process and the two pipes to it. Used by one thread at a time."""

    def __init__(self, limits: PhotoLimits, font_path: Path) -> None:
        self.served = 0
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dispatch.adapters.photos.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise PhotoWorkerBroken(reason=type(error).__name__) from error
        frame = self._exchange(
            lambda pipe: write_frame(pipe, {"limits": asdict(limits), "font_path": str(font_path)}), _START_S
        )
        if not isinstance(frame, Frame):
            raise PhotoWorkerBroken(exit_code=self.end())

    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, photo: bytes | Path, size: int, stamp: Stamp | None, wall_s: float) -> Frame:
        """The child's answer to one photo. Raises PhotoRefused when the child ends or is too late instead."""
        self.served += 1
        head = {"stamp": _bounded(stamp) if stamp else None}
        frame = self._exchange(lambda pipe: _send_photo(pipe, head, photo, size), wall_s)
        if isinstance(frame, Frame):
            if frame.head.get("refused") == "photo_out_of_memory":
                self.end()
            return frame
        exit_code = self.end()
        code = frame or _CODE_OF_SIGNAL.get(exit_code, "photo_crashed")
        log.warning("A photo child ended with %s while decoding: %s", exit_code, code)
        raise PhotoRefused(code)

    def end(self) -> int:
        """Kills the child, waits for it and returns its exit code; negative is the signal that ended it."""
        to_child, from_child = self._pipes()
        with suppress(OSError):
            to_child.close()
        from_child.close()
        with suppress(subprocess.TimeoutExpired):
            # A child that is dying already keeps its own reason.
            return self._process.wait(timeout=0.05)
        self._process.kill()
        return self._process.wait()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        to_child, from_child = self._process.stdin, self._process.stdout
        if to_child is None or from_child is None:
            raise RuntimeError("a photo child is always started with two pipes")
        return to_child, from_child

    def _exchange(self, send: Callable[[IO[bytes]], None], wall_s: float) -> Frame | str | None:
        """Sends, then reads one frame; "photo_timeout" when `wall_s` is over, None when the child ended."""
        to_child, from_child = self._pipes()
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._process.kill()

        watchdog = threading.Timer(wall_s, kill)
        watchdog.daemon = True
        watchdog.start()
        frame: Frame | None = None
        try:
            with suppress(BrokenPipeError):
                send(to_child)
            with suppress(ValueError):
                frame = read_frame(from_child, _ANSWER_BYTES_MAX)
        except BaseException:
            # Half a photo is in the pipe: what this child would answer next belongs to nobody.
            self._process.kill()
            self._process.wait()
            raise
        finally:
            watchdog.cancel()
        return frame or ("photo_timeout" if late.is_set() else None)


def _bounded(stamp: Stamp) -> dict[str, str]:
    """The stamp's texts, cut to what could ever be drawn."""
    return {name: text[:_STAMP_CHARS] for name, text in asdict(stamp).items()}


def _send_photo(pipe: IO[bytes], head: dict[str, Any], photo: bytes | Path, size: int) -> None:
    begin_frame(pipe, head, size)
    if isinstance(photo, bytes):
        pipe.write(photo)
    else:
        with photo.open("rb") as source:
            shutil.copyfileobj(source, pipe, _COPY_BYTES)
    pipe.flush()


def _result(frame: Frame) -> ProcessedPhoto:
    """What the child found. One started after newer code was laid down under this process may know more: that is
    left out; one that says less is PhotoWorkerBroken until this process is started anew."""
    try:
        return _processed({name: value for name, value in frame.head.items() if name in _SAID}, frame.body)
    except (KeyError, TypeError) as error:
        raise PhotoWorkerBroken(reason=f"other_code: {error}") from error


def _processed(head: dict[str, Any], body: bytes) -> ProcessedPhoto:
    if "refused" in head:
        raise PhotoRefused(head["refused"], **head["facts"])
    split = head.pop("large_bytes")
    exif = ExifFacts(**{name: value for name, value in head.pop("exif").items() if name in _EXIF})
    taken_at = datetime.fromisoformat(str(exif.taken_at)) if exif.taken_at else None
    position = (exif.position_wgs84[0], exif.position_wgs84[1]) if exif.position_wgs84 else None
    exif = replace(exif, taken_at=taken_at, position_wgs84=position)
    return ProcessedPhoto(**head, exif=exif, large_jpeg=body[:split], thumb_webp=body[split:])


def _environment() -> dict[str, str]:
    """Nothing of the parent's settings: a child that decodes hostile files must not know any secret."""
    root = str(Path(dispatch.__path__[0]).parent)
    return {"PATH": os.defpath, "PYTHONPATH": root, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
