"""Runs the typesetter in short-lived children: a large picture or a hostile text ends the child, never the server."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dispatch
from dispatch.adapters.photos.fonts import find_font
from dispatch.domain.errors import DispatchError

_AT_ONCE = 2
_WAIT_S = 20.0
_WALL_S = 30.0
_FAMILIES = {
    "NotoSansCJK": "Noto Sans CJK SC",
    "SourceHanSans": "Source Han Sans SC",
    "wqy-microhei": "WenQuanYi Micro Hei",
}
_SAFE = "abcdefghijklmnopqrstuvwxyz0123456789_.-"


class PaperBusy(DispatchError):
    """Others are being typeset; ask again in a moment."""

    code = "paper_busy"


class PaperBroken(DispatchError):
    """The typesetter failed: a bug, or the host lacks something."""

    code = "paper_broken"


class PaperPress:
    """Makes PDFs, two at a time in a process; safe to call from many threads."""

    def __init__(self, font: Path | None = None) -> None:
        self._font = font
        self._seats = threading.Semaphore(_AT_ONCE)

    def press(self, layout: str, texts: Mapping[str, Any], pictures: Mapping[str, bytes]) -> bytes:
        """The PDF of a layout in `layouts/`, fed with plain JSON values and named pictures.

        Raises PaperBusy, PaperBroken; ValueError for a picture's name that is not a plain file name.
        """
        if any(not name or set(name) - set(_SAFE) or name.startswith(".") for name in pictures):
            raise ValueError("a picture's name is a plain file name")
        font = self._font or find_font()
        if not self._seats.acquire(timeout=_WAIT_S):
            raise PaperBusy
        try:
            with tempfile.TemporaryDirectory(prefix="paidan-paper-") as folder:
                root = Path(folder)
                (root / "texts.json").write_text(
                    json.dumps({**texts, "font": family_of(font)}, ensure_ascii=False), encoding="utf-8"
                )
                for name, content in pictures.items():
                    (root / name).write_bytes(content)
                return _run(root, layout, font)
        finally:
            self._seats.release()


def family_of(font: Path) -> str:
    """The family a font file carries, by its name; the typesetter falls back to any other that has the signs."""
    return next((family for start, family in _FAMILIES.items() if font.name.startswith(start)), font.stem)


def _run(root: Path, layout: str, font: Path) -> bytes:
    command = [sys.executable, "-m", "dispatch.adapters.papers.child", str(root), layout, str(font.parent)]
    try:
        done = subprocess.run(command, env=_environment(), capture_output=True, timeout=_WALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise PaperBroken(reason="timeout") from None
    paper = root / "paper.pdf"
    if done.returncode != 0 or not paper.is_file():
        raise PaperBroken(reason="child", status=done.returncode)
    return paper.read_bytes()


def _environment() -> dict[str, str]:
    """Nothing of the parent's settings."""
    path = str(Path(dispatch.__path__[0]).parent)
    return {"PATH": os.defpath, "PYTHONPATH": path, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
