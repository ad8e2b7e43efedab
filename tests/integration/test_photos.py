"""Photos through a real child process: what comes out, what is refused, and nothing else."""

import hashlib
import io
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageOps

from dispatch.adapters.photos import (
    PhotoBusy,
    PhotoLimits,
    PhotoRefused,
    PhotoWorker,
    PhotoWorkerBroken,
    Stamp,
    fingerprint_distance,
    fonts,
)
from dispatch.adapters.photos.fingerprint import GRADIENT_SIZE_PX, fingerprints, gradient_fingerprints
from dispatch.domain.evidence_doubts import OWN_PHOTO

pillow_heif.register_heif_opener()

from tests.integration import photo_files as files  # noqa: E402  (the files include HEIC)

SHANGHAI = timezone(timedelta(hours=8))
STAMP = Stamp.of(datetime(2026, 11, 22, 14, 32, tzinfo=SHANGHAI), "上海市世纪大道100号12层", "4821-907", "zh")


@pytest.fixture(scope="module")
def worker() -> Iterator[PhotoWorker]:
    with PhotoWorker(children=1) as worker:
        yield worker


@pytest.fixture(scope="module")
def bad_files() -> dict[str, tuple[bytes, str]]:
    return files.bad_files()


def opened(raw: bytes) -> Image.Image:
    return Image.open(io.BytesIO(raw))


def refusal(worker: PhotoWorker, raw: bytes | Path) -> PhotoRefused:
    with pytest.raises(PhotoRefused) as refused:
        worker.process(raw, None)
    return refused.value


def children() -> set[int]:
    """The process ids of this process's children."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return found


def test_a_12_megapixel_photo_becomes_two_pictures_and_its_facts(worker: PhotoWorker) -> None:
    raw = files.phone_photo()
    photo = worker.process(raw, STAMP)
    assert (photo.content_type, photo.width, photo.height) == ("image/jpeg", 4000, 3000)
    assert photo.sha256 == hashlib.sha256(raw).hexdigest()
    assert (opened(photo.large_jpeg).format, opened(photo.large_jpeg).size) == ("JPEG", (1600, 1200))
    assert (opened(photo.thumb_webp).format, opened(photo.thumb_webp).size) == ("WEBP", (320, 240))
    assert photo.exif.taken_at == datetime(2026, 11, 22, 6, 32, 5, tzinfo=UTC)
    assert photo.exif.taken_at_local == "2026-11-22T14:32:05"
    assert photo.exif.position_wgs84 == pytest.approx((31.236, 121.5))
    assert (photo.exif.accuracy_m, photo.exif.device) == (12.5, "HUAWEI P60")


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("HEIF", "image/heic")],
)
def test_each_allowed_format_is_told_by_its_content(
    worker: PhotoWorker, kind: str, content_type: str
) -> None:
    photo = worker.process(files.encoded(files.scene(800, 600), kind), STAMP)
    assert (photo.content_type, photo.width, photo.height) == (content_type, 800, 600)
    assert opened(photo.large_jpeg).size == (800, 600)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_set_upright(worker: PhotoWorker, orientation: int) -> None:
    photo = worker.process(files.phone_photo(800, 600, orientation=orientation), None)
    upright = ImageOps.exif_transpose(opened(files.phone_photo(800, 600, orientation=orientation)))
    assert (photo.width, photo.height) == upright.size == opened(photo.large_jpeg).size
    off = (
        ImageChops.difference(opened(photo.large_jpeg), upright.convert("RGB"))
        .resize((1, 1))
        .getpixel((0, 0))
    )
    assert max(off) <= 6


def test_what_others_see_carries_no_position_time_or_device(worker: PhotoWorker) -> None:
    raw = files.encoded(
        files.scene(800, 600), "JPEG", exif=files.camera_exif(), comment=b"door code 4711", xmp=b"<x>4711</x>"
    )
    photo = worker.process(raw, STAMP)
    for derived in (photo.large_jpeg, photo.thumb_webp):
        assert not opened(derived).getexif()
        assert not any(secret in derived for secret in (b"HUAWEI", b"Exif", b"4711", b"ICC_PROFILE", b"XMP"))
    assert b"HUAWEI" in raw


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("1", "PNG"),
        ("I;16", "PNG"),
    ],
)
def test_every_colour_mode_becomes_plain_rgb(worker: PhotoWorker, mode: str, kind: str) -> None:
    picture = Image.new("I;16", (300, 200), 40_000) if mode == "I;16" else files.scene(300, 200).convert(mode)
    photo = worker.process(files.encoded(picture, kind), STAMP)
    assert opened(photo.large_jpeg).mode == "RGB"
    if mode == "I;16":
        assert opened(photo.large_jpeg).getpixel((290, 5))[0] == pytest.approx(40_000 / 256, abs=4)


def test_the_film_a_phone_appends_is_allowed(worker: PhotoWorker) -> None:
    assert worker.process(files.motion_photo(), None).width == 400


def test_damaged_exif_costs_the_facts_and_not_the_photo(worker: PhotoWorker) -> None:
    raw = files.encoded(files.scene(400, 300), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff rubbish")
    photo = worker.process(raw, None)
    assert (photo.exif.taken_at, photo.exif.position_wgs84, photo.exif.device) == (None, None, None)


def test_a_photo_can_come_from_a_file(worker: PhotoWorker, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(files.phone_photo(800, 600))
    assert worker.process(path, None) == worker.process(path.read_bytes(), None)


def test_every_bad_file_is_refused_with_its_code(
    worker: PhotoWorker, bad_files: dict[str, tuple[bytes, str]]
) -> None:
    found = {name: refusal(worker, raw).code for name, (raw, _) in bad_files.items()}
    assert found == {name: code for name, (_, code) in bad_files.items()}
    assert len(bad_files["89 megapixels in a small PNG"][0]) < 400_000
    assert worker.process(files.phone_photo(800, 600), None).width == 800


def test_300_garbled_photos_are_processed_or_refused_and_nothing_else(worker: PhotoWorker) -> None:
    outcomes = []
    for raw in files.garbled_copies(300):
        try:
            worker.process(raw, STAMP)
            outcomes.append("kept")
        except PhotoRefused as refused:
            outcomes.append(refused.code)
    assert len(outcomes) == 300
    assert outcomes.count("kept") < 300
    assert worker.process(files.phone_photo(800, 600), None).width == 800


def test_this_process_stays_small_whatever_is_sent(
    worker: PhotoWorker, bad_files: dict[str, tuple[bytes, str]]
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for raw, _ in bad_files.values():
        refusal(worker, raw)
    worker.process(files.bomb_png(8000, 6250), None)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 60


def test_50_megapixels_with_transparency_fit_the_childs_memory(worker: PhotoWorker) -> None:
    assert worker.process(files.bomb_png(8000, 6250, channels=4), STAMP).width == 8000


def test_without_the_pixel_cap_the_childs_memory_limit_still_holds() -> None:
    """Sabotage: the cap that normally stops this file is off."""
    with PhotoWorker(replace(PhotoLimits(), max_pixels=10**9), children=1) as uncapped:
        assert refusal(uncapped, files.bomb_png(10_000, 8_900, channels=4)).code == "photo_out_of_memory"
        assert uncapped.process(files.phone_photo(800, 600), None).width == 800


def test_without_the_memory_limit_the_same_file_gets_through() -> None:
    """Sabotage: shows that it was the limit that refused it."""
    loose = replace(PhotoLimits(), max_pixels=10**9, memory_bytes=4 * 1024**3)
    with PhotoWorker(loose, children=1) as unlimited:
        assert unlimited.process(files.bomb_png(10_000, 8_900, channels=4), None).width == 10_000


def test_a_photo_that_takes_too_much_processor_time_is_refused() -> None:
    limits = replace(PhotoLimits(), max_pixels=10**9, memory_bytes=8 * 1024**3, cpu_s=1)
    with PhotoWorker(limits, children=1) as worker:
        assert refusal(worker, files.bomb_png(16_000, 16_000, channels=4)).code == "photo_too_slow"
        assert worker.process(files.phone_photo(800, 600), None).width == 800


def test_a_child_that_hangs_is_ended_in_time() -> None:
    with PhotoWorker(replace(PhotoLimits(), wall_s=1.0), children=1) as worker:
        before = children()
        worker.process(files.phone_photo(800, 600), None)
        (pid,) = children() - before
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        assert refusal(worker, files.phone_photo(800, 600)).code == "photo_timeout"
        assert time.monotonic() - began < 10
        assert worker.process(files.phone_photo(800, 600), None).width == 800


def test_a_child_killed_from_outside_costs_one_photo_only() -> None:
    with PhotoWorker(children=1) as worker:
        before = children()
        worker.process(files.phone_photo(800, 600), None)
        (pid,) = children() - before
        os.kill(pid, signal.SIGSTOP)
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        assert refusal(worker, files.phone_photo(800, 600)).code == "photo_crashed"
        assert worker.process(files.phone_photo(800, 600), None).width == 800


def test_children_stay_warm_and_are_replaced_after_their_share() -> None:
    with PhotoWorker(children=1, recycle_after=3) as worker:
        before, seen = children(), []
        for _ in range(4):
            worker.process(files.phone_photo(400, 300), None)
            seen.append(frozenset(children() - before))
        assert seen[0] == seen[1] != frozenset()
        assert seen[2] == frozenset()
        assert seen[3] not in (frozenset(), seen[0])
    assert children() == before


def test_many_threads_share_the_children() -> None:
    raw = files.phone_photo(800, 600)
    with PhotoWorker(children=2) as worker, ThreadPoolExecutor(16) as threads:
        before = children()
        hashes = {photo.sha256 for photo in threads.map(lambda _: worker.process(raw, STAMP), range(48))}
        assert len(children() - before) <= 2
    assert hashes == {hashlib.sha256(raw).hexdigest()}


def test_a_photo_that_waits_too_long_for_a_child_is_told_to_come_again() -> None:
    limits = replace(PhotoLimits(), wait_s=0.1, wall_s=2.0)
    with PhotoWorker(limits, children=1) as worker:
        before = children()
        worker.process(files.phone_photo(400, 300), None)
        (pid,) = children() - before
        os.kill(pid, signal.SIGSTOP)
        hanging = threading.Thread(target=refusal, args=(worker, files.phone_photo(400, 300)))
        hanging.start()
        time.sleep(0.2)
        with pytest.raises(PhotoBusy):
            worker.process(files.phone_photo(400, 300), None)
        hanging.join()


def test_a_host_without_a_chinese_font_says_so_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FONT_PATHS", ("/nowhere/font.ttc",))
    with pytest.raises(PhotoWorkerBroken) as broken:
        PhotoWorker()
    assert broken.value.facts["missing"] == "font"


def test_the_child_knows_none_of_the_parents_settings(
    worker: PhotoWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIDAN_SECRET_KEY", "do-not-tell")
    with PhotoWorker(children=1) as fresh:
        before = children()
        fresh.process(files.phone_photo(400, 300), None)
        (pid,) = children() - before
        assert b"do-not-tell" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_the_stamp_is_drawn_in_the_lower_left_corner_only(worker: PhotoWorker) -> None:
    raw = files.encoded(Image.new("RGB", (1600, 1200), "white"), "JPEG")
    plain, stamped = (opened(worker.process(raw, stamp).large_jpeg) for stamp in (None, STAMP))
    left, top, right, bottom = (
        ImageChops.difference(plain, stamped).point(lambda v: 255 if v > 8 else 0).getbbox()
    )
    assert left == 0
    assert bottom == 1200
    assert top > 700
    assert right < 1400


def test_chinese_characters_are_drawn_and_not_replaced_by_boxes(worker: PhotoWorker) -> None:
    """A font without the characters draws the same box for each of them."""
    raw = files.encoded(Image.new("RGB", (1600, 1200), "white"), "JPEG")
    one, other = (
        worker.process(raw, Stamp("", "", place, "")).large_jpeg
        for place in ("上海市浦东新区", "冷水机房维修工")
    )
    assert ImageChops.difference(opened(one), opened(other)).point(lambda v: 255 if v > 60 else 0).getbbox()


def test_a_stamp_of_any_text_never_breaks_a_photo(worker: PhotoWorker) -> None:
    for text in ("", "\0\n\t" * 50, "長" * 5000, "a" * 5000, "😀 مرحبا", "x y " * 400):
        for size in ((64, 64), (1600, 100), (100, 1600)):
            raw = files.encoded(Image.new("RGB", size, "white"), "PNG")
            assert worker.process(raw, Stamp(text, text, text, text)).large_jpeg


def test_a_photo_used_again_is_recognised_smaller_recompressed_brighter_and_mirrored(
    worker: PhotoWorker,
) -> None:
    picture = files.scene(1600, 1200)
    first = worker.process(files.encoded(picture, "JPEG", quality=92), STAMP)
    again = worker.process(
        files.encoded(picture.resize((900, 675)).point(lambda v: min(255, v + 12)), "JPEG", quality=50), None
    )
    mirrored = worker.process(files.encoded(ImageOps.mirror(picture), "JPEG", quality=80), None)
    other = worker.process(files.encoded(files.scene(1600, 1200, seed=2), "JPEG"), None)
    assert fingerprint_distance(first.phash, again.phash) <= 10
    assert fingerprint_distance(first.mirror_phash, mirrored.phash) <= 10
    assert fingerprint_distance(first.phash, mirrored.phash) > 10
    assert fingerprint_distance(first.phash, other.phash) > 10
    assert fingerprint_distance(first.dhash, again.dhash) <= OWN_PHOTO.gradient_bits
    assert fingerprint_distance(first.mirror_dhash, mirrored.dhash) <= OWN_PHOTO.gradient_bits
    assert fingerprint_distance(first.dhash, other.dhash) > OWN_PHOTO.gradient_bits


def test_the_mirrors_fingerprint_is_the_fingerprint_of_the_mirrored_picture() -> None:
    gray = files.scene(32, 32).convert("L")
    assert fingerprints(gray.tobytes())[1] == fingerprints(ImageOps.mirror(gray).tobytes())[0]
    small = gray.resize(GRADIENT_SIZE_PX)
    turned = gradient_fingerprints(ImageOps.mirror(small).tobytes())
    assert gradient_fingerprints(small.tobytes()) == turned[::-1]
