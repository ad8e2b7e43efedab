"""The stamp in the lower left corner, after the "watermark cameras" (水印相机) that field engineers know.

Only the photo child imports this module.
"""

from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from dispatch.adapters.photos.fonts import face_index
from dispatch.adapters.photos.model import Stamp

_WHITE = (255, 255, 255)
_SOFT_WHITE = (235, 238, 242)
_AMBER = (255, 196, 0)
_SHADE_ALPHA = 150
_PLACE_LINES = 2
_TEXT_CHARS = 160


def draw_stamp(picture: Image.Image, stamp: Stamp, font_path: Path) -> None:
    """Draws the stamp into an RGB picture of any size, in place.

    Sizes follow the picture's shorter side, so that the stamp reads the same on every photo. The shade behind
    the text fades out to the right and the top: text is readable on snow, and the photo stays visible.
    """
    unit = max(6, min(picture.size) // 40)
    big, normal = _font(font_path, unit * 3), _font(font_path, int(unit * 1.15))
    margin, gap, line_height = unit, unit // 2, int(unit * 1.7)
    place = _wrap(_plain(stamp.place), normal, int(picture.width * 0.72))
    lines = [line for line in (*place, _plain(stamp.ticket)) if line]
    head_height = unit * 3 + gap if stamp.clock or stamp.date else 0
    height = head_height + gap + line_height * len(lines) + 2 * margin
    head_width = big.getlength(_plain(stamp.clock)) + 3 * gap + normal.getlength(_plain(stamp.date))
    width = int(max([head_width, *(normal.getlength(line) + 2 * gap for line in lines)])) + 4 * margin
    _shade(picture, min(int(width * 1.3), picture.width), min(int(height * 1.2), picture.height))

    draw = ImageDraw.Draw(picture)
    left, top = margin, picture.height - height + margin
    if head_height:
        clock = _plain(stamp.clock)
        draw.text((left, top + unit * 3), clock, _WHITE, big, anchor="ls", stroke_width=max(1, unit // 16))
        beside = left + big.getlength(clock) + (gap * 2 if clock else 0)
        draw.text((beside, top + unit * 3), _plain(stamp.date), _SOFT_WHITE, normal, anchor="ls")
    top += head_height + gap
    if lines:
        bar = (left, top, left + max(2, unit // 5), top + line_height * len(lines) - gap // 2)
        draw.rectangle(bar, _AMBER)
    for index, line in enumerate(lines):
        baseline = top + index * line_height + int(unit * 1.15)
        draw.text((left + 2 * gap, baseline), line, _WHITE, normal, anchor="ls")


def _shade(picture: Image.Image, width: int, height: int) -> None:
    """Darkens the lower left corner: full at the corner, nothing at its right and upper edge."""
    upwards = Image.linear_gradient("L").resize((1, height))
    rightwards = Image.linear_gradient("L").rotate(-90).resize((width, 1))
    mask = upwards.resize((width, height)).point(lambda value: min(255, value * 3))
    fade = rightwards.resize((width, height)).point(lambda value: min(255, value * 4) * _SHADE_ALPHA // 255)
    mask = Image.composite(fade, Image.new("L", (width, height)), mask)
    picture.paste((0, 0, 0), (0, picture.height - height), mask)


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """At most two lines: broken anywhere, as Chinese is, or at a space where one is near."""
    lines: list[str] = []
    while text and len(lines) < _PLACE_LINES:
        fits = next((n for n in range(len(text), 0, -1) if font.getlength(text[:n]) <= width), 1)
        last = len(lines) == _PLACE_LINES - 1
        if fits < len(text) and last:
            return [*lines, text[: max(1, fits - 1)].rstrip() + "…"]
        if fits < len(text):
            fits = max(text.rfind(" ", fits // 2, fits + 1), 0) or fits
        lines.append(text[:fits].strip())
        text = text[fits:].strip()
    return lines


def _plain(text: str) -> str:
    """One line of printable characters, of bounded length."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_TEXT_CHARS]


@lru_cache(maxsize=32)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size, index=face_index(path))
