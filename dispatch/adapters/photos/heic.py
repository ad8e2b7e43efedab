"""HEIC photos decoded at a half or a quarter, as JPEG can be. Only the photo child imports this module.

FFmpeg's HEVC decoder takes half the time of the one behind Pillow's HEIC reader, and brightness is averaged
down to the size of the colours before both become RGB: nothing is ever converted that will not be seen.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PIL import Image

from dispatch.adapters.photos.heic_boxes import CodedPicture, main_picture

if TYPE_CHECKING:
    from av import VideoFrame

_FACTORS = (4, 2)
_BEYOND_PX = 64
"""A coded piece may be this much larger than the piece it shows, on either side: one largest coding block."""
_FULL_RANGE = 2
_UNSTATED = 0
_COLOURS_UNSTATED = 2
_BT601 = {5, 6}
_TURNS = {
    (b"irot", 1): Image.Transpose.ROTATE_90,
    (b"irot", 2): Image.Transpose.ROTATE_180,
    (b"irot", 3): Image.Transpose.ROTATE_270,
    (b"imir", 0): Image.Transpose.FLIP_TOP_BOTTOM,
    (b"imir", 1): Image.Transpose.FLIP_LEFT_RIGHT,
}


class _Unusual(Exception):
    """The coded pieces are not what the boxes say."""


def drafted(raw: bytes, image: Image.Image, side_px: int) -> Image.Image:
    """`image` decoded at the smallest half or quarter whose long side still is `side_px`, or `image` untouched.

    `image` is the opened, not yet loaded picture of `raw`, its caps already judged. Untouched stays what is
    small, transparent, of more than 8 bits, cropped, damaged or otherwise unusual.
    """
    factor = next((factor for factor in _FACTORS if max(image.size) >= factor * side_px), None)
    picture = main_picture(raw) if factor and image.mode == "RGB" else None
    if factor is None or picture is None or _upright(picture) != image.size:
        return image
    try:
        reduced = _decoded(raw, picture, factor)
    except Exception:
        # What is wrong with it, the complete reader will say; too many pixels inside is "no memory" to FFmpeg.
        return image
    for turn in picture.turns:
        if turn in _TURNS:
            reduced = reduced.transpose(_TURNS[turn])
    reduced.info = image.info
    return reduced


def _upright(picture: CodedPicture) -> tuple[int, int]:
    width, height = picture.size
    quarters = sum(angle for name, angle in picture.turns if name == b"irot")
    return (height, width) if quarters % 2 else (width, height)


def _decoded(raw: bytes, picture: CodedPicture, factor: int) -> Image.Image:
    """RGB at 1/factor, laid out of its pieces and not yet turned. Raises _Unusual and whatever FFmpeg raises."""
    width, height = picture.piece_size
    if len(picture.pieces) > 1 and (width % factor or height % factor):
        raise _Unusual
    size = (-(-picture.size[0] // factor), -(-picture.size[1] // factor))
    planes = [Image.new("L", size) for _ in range(3)]
    count = 0
    for count, frame in enumerate(_frames(raw, picture), 1):
        _refuse_unlike(frame, picture)
        left = (count - 1) % picture.columns * width // factor
        top = (count - 1) // picture.columns * height // factor
        for plane, coded, halved in zip(planes, frame.planes, (1, 2, 2), strict=True):
            piece_size = (-(-width // halved), -(-height // halved))
            piece = Image.frombuffer("L", piece_size, bytes(coded), "raw", "L", coded.line_size, 1)
            plane.paste(piece.reduce(factor // halved), (left, top))
    if count != len(picture.pieces):
        raise _Unusual
    return Image.merge("YCbCr", planes).convert("RGB")


def _frames(raw: bytes, picture: CodedPicture) -> Iterator["VideoFrame"]:
    # Loaded with the first HEIC: it costs 100 MB of address space, which other photos have better use for.
    import av

    width, height = picture.piece_size
    decoder = av.VideoCodecContext.create("hevc", "r")
    decoder.thread_count = 1
    decoder.extradata = picture.setup
    # Before a frame is allocated: a piece may claim more pixels inside than the boxes around it do.
    decoder.options = {
        "max_pixels": str((width + _BEYOND_PX) * (height + _BEYOND_PX)),
        "err_detect": "explode",
    }
    for spans in picture.pieces:
        yield from decoder.decode(av.Packet(b"".join(raw[start:end] for start, end in spans)))
    yield from decoder.decode(None)


def _refuse_unlike(frame: "VideoFrame", picture: CodedPicture) -> None:
    stated = picture.colours_stated
    usual = (
        not frame.is_corrupt
        and frame.format.name in ("yuv420p", "yuvj420p")
        and (frame.width, frame.height) == picture.piece_size
        and (frame.color_range == _FULL_RANGE or (stated and frame.color_range == _UNSTATED))
        and (frame.colorspace in _BT601 or (stated and frame.colorspace == _COLOURS_UNSTATED))
    )
    if not usual:
        raise _Unusual
