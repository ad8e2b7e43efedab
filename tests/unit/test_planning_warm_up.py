"""Compiled kernels are forgotten when any kernel's source changes: the cache alone would keep changed callees."""

from __future__ import annotations

from pathlib import Path

from dispatch.planning.compiled import are_ready, forget_stale_kernels, mark_ready
from dispatch.planning.warm_up import keep_bytecode


def test_a_changed_kernel_clears_the_cache_of_all_and_an_unchanged_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "kernel_walk.py").write_text("a = 1")
    (tmp_path / "layout.py").write_text("b = 1")
    compiled = tmp_path / "__pycache__" / "kernel_search.search-1.py311.1.nbc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"old")
    assert forget_stale_kernels(tmp_path)
    assert not compiled.exists()
    compiled.write_bytes(b"new")
    assert not forget_stale_kernels(tmp_path)
    assert compiled.exists()
    (tmp_path / "layout.py").write_text("b = 2")
    assert forget_stale_kernels(tmp_path)
    assert not compiled.exists()


def test_bytecode_is_kept_once() -> None:
    keep_bytecode()
    assert keep_bytecode() == 0


def test_kernels_are_ready_once_compiled_and_no_longer_when_a_source_changes(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "kernel_a.py").write_text("a = 1")
    (tmp_path / "layout.py").write_text("b = 1")
    assert not are_ready(tmp_path)
    mark_ready(tmp_path)
    assert are_ready(tmp_path)
    (tmp_path / "kernel_a.py").write_text("a = 2")
    assert not are_ready(tmp_path)
