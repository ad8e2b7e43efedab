"""What a photo of 12 megapixels costs, told by comparison: no machine is as quick as another."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from dispatch.adapters.photos import heic
from tests.bench import photos
from tests.integration import photo_files as files
from tests.integration.heic_files import phone_heic


def cost_beside_decoding(way: Callable[[bytes], object], raw: bytes) -> float:
    """Processor time of a way over that of Pillow's bare full decode, the cheapest of three each."""
    costs: dict[Callable[[bytes], object], list[float]] = {way: [], photos.bare_decode: []}
    for one in [*costs] * 3:
        began = time.process_time()
        one(raw)
        costs[one].append(time.process_time() - began)
    return min(costs[way]) / min(costs[photos.bare_decode])


COST_MOST = 3.0
"""Of 12 megapixels; seen: JPEG 1.4, PNG and WEBP 1.5, HEIC 0.7. In CPU-ms: `./paidan bench photos`."""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIC smooth"])
def test_12_megapixels_cost_little_more_than_their_decoding(kind: str) -> None:
    assert cost_beside_decoding(photos.pipeline, photos.KINDS[kind]()) <= COST_MOST


def test_a_plain_pipeline_costs_too_much() -> None:
    """Sabotage: the usual way, as the bench measures it beside ours; seen: 6.5."""
    assert cost_beside_decoding(photos.plain_pipeline, photos.KINDS["JPEG"]()) > COST_MOST


@pytest.fixture
def shrunk_from(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The size of every picture about to be shrunk, as it was decoded."""
    sizes: list[tuple[int, int]] = []
    shrink = Image.Image.thumbnail

    def recorded(self: Image.Image, *given: Any, **named: Any) -> None:
        sizes.append(self.size)
        shrink(self, *given, **named)

    monkeypatch.setattr(Image.Image, "thumbnail", recorded)
    return sizes


@pytest.mark.parametrize("kind", ["JPEG", "HEIC"])
def test_a_large_photo_is_decoded_at_a_half(
    kind: str, shrunk_from: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: with neither way of doing so, every pixel is decoded."""
    raw = phone_heic(size=(3400, 2400)) if kind == "HEIC" else files.phone_photo(3400, 2400)
    photos.pipeline(raw)
    assert shrunk_from[0] == (1700, 1200)
    shrunk_from.clear()
    monkeypatch.setattr(heic, "drafted", lambda _raw, image, _side_px: image)
    monkeypatch.setattr(JpegImageFile, "draft", lambda *_: None)
    photos.pipeline(raw)
    assert shrunk_from[0] == (3400, 2400)
