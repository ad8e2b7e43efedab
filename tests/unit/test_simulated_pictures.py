"""The demo's photos are real JPEGs: the product's own pipeline takes them."""

import io

import pytest
from PIL import Image

from api.command_line.simulation_pictures import encode, signature_picture, site_photo
from dispatch.adapters.photos.content import recognise


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90), (0, 255, 0), (17, 90, 250)])
def test_a_block_keeps_its_colour(colour: tuple[int, int, int]) -> None:
    picture = Image.open(io.BytesIO(encode(2, 2, lambda x, y: colour))).convert("RGB")
    seen = picture.getpixel((11, 11))
    assert isinstance(seen, tuple)
    assert all(abs(a - b) <= 3 for a, b in zip(seen, colour, strict=True))


def test_neighbours_of_every_contrast_are_told_apart() -> None:
    picture = encode(6, 5, lambda x, y: ((x * 51) % 256, (y * 63) % 256, ((x + y) * 97) % 256))
    decoded = Image.open(io.BytesIO(picture)).convert("RGB")
    for x in range(6):
        seen = decoded.getpixel((x * 8 + 4, 20))
        assert isinstance(seen, tuple)
        assert abs(seen[0] - x * 51) <= 4


@pytest.mark.parametrize("seed", range(5))
def test_scenes_are_whole_files_and_differ(seed: int) -> None:
    photo, signature = site_photo(seed), signature_picture(seed)
    assert recognise(photo) == recognise(signature) == "JPEG"
    assert Image.open(io.BytesIO(photo)).size == (480, 360)
    assert photo == site_photo(seed)
    assert photo != site_photo(seed + 1)
