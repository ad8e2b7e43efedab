"""`bench photos` on photos of one's own: each is named with its figures, what is no photo has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import photos
from tests.integration.photo_files import phone_photo


def test_each_photo_of_a_folder_is_measured_beside_a_plain_pipeline_and_its_decoding(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(phone_photo(400, 300))
    (tmp_path / "b.jpg").write_bytes(phone_photo(500, 400))
    measured = photos.run(tmp_path, None, tmp_path)["instances"]
    assert [entry["name"] for entry in measured] == ["a.jpg", "b.jpg"]
    for entry in measured:
        assert min(entry["value"], entry["best"], entry["decode_ms"]) > 0
        assert entry["gap"] == entry["value"] / entry["best"] - 1
        assert entry["bytes"] == (tmp_path / entry["name"]).stat().st_size


def test_what_is_no_photo_is_named_and_has_no_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jpg").write_text("hello, I am a photo")
    (entry,) = photos.run(tmp_path / "a.jpg", None, tmp_path)["instances"]
    assert entry["value"] is None
    assert "photo_format_not_allowed" in capsys.readouterr().out
