"""Where Chinese type is found on a host. No image library needed here."""

from pathlib import Path

from dispatch.adapters.photos.model import PhotoWorkerBroken

FONT_PATHS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/source-han-sans/SourceHanSansSC-Regular.otf",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/System/Library/Fonts/PingFang.ttc",
)
"""Searched in this order. On Debian they come from the packages fonts-noto-cjk, fonts-wqy-microhei,
fonts-wqy-zenhei, fonts-droid-fallback and fonts-arphic-uming; the rest are the usual places elsewhere."""

_SIMPLIFIED_CHINESE_FACE = {"NotoSansCJK-Regular.ttc": 2}


def find_font() -> Path:
    """The first installed font with Chinese characters; raises PhotoWorkerBroken when there is none."""
    for path in map(Path, FONT_PATHS):
        if path.is_file():
            return path
    raise PhotoWorkerBroken("photo_worker_broken", missing="font", searched=list(FONT_PATHS))


def face_index(path: Path) -> int:
    """Which face of a font collection draws simplified Chinese shapes: Noto's first face is Japanese."""
    return _SIMPLIFIED_CHINESE_FACE.get(path.name, 0)
