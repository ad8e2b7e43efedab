"""New code is laid down before the processes are started anew: a photo child of another version is understood."""

from dataclasses import asdict

import pytest

from dispatch.adapters.photos import ExifFacts, PhotoWorkerBroken
from dispatch.adapters.photos.framing import Frame
from dispatch.adapters.photos.worker import _result

ANSWER = {
    "content_type": "image/jpeg",
    "width": 40,
    "height": 30,
    "sha256": "0" * 64,
    "phash": "0" * 16,
    "mirror_phash": "0" * 16,
    "dhash": "0" * 16,
    "mirror_dhash": "0" * 16,
    "exif": asdict(ExifFacts(taken_at=None, position_wgs84=None, device=None)),
    "large_bytes": 5,
}


def test_what_a_newer_child_says_more_is_left_out() -> None:
    newer = {**ANSWER, "sharpness": 0.5, "exif": {**ANSWER["exif"], "lens": "wide"}}
    photo = _result(Frame(newer, b"largethumb"))
    assert (photo.width, photo.large_jpeg, photo.thumb_webp) == (40, b"large", b"thumb")


def test_a_child_that_says_less_is_broken_and_not_a_bug_of_the_request() -> None:
    less = {name: value for name, value in ANSWER.items() if name != "phash"}
    with pytest.raises(PhotoWorkerBroken):
        _result(Frame(less, b"largethumb"))
