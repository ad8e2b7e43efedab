"""A photo shown twice is found by its picture, over HTTP and through the job; a new one is not."""

import io

import pytest
from PIL import Image, ImageOps

from api.command_line.simulation_pictures import site_photo
from dispatch.actions import evidence_doubts as looking
from dispatch.domain import evidence_doubts
from dispatch.store.ids import new_id
from tests.builders import new_ticket, picture
from tests.house import Product, Town, ok


def _arrived(town: Town, photo: bytes, **position: object) -> dict[str, object]:
    """The check-in photo's line of a fresh ticket, after the jobs."""
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    ok(town.act(name, ticket_id, "set_off"))
    photo_id = str(new_id())
    url = f"/engineer/v1/photos/{photo_id}?ticket_id={ticket_id}&kind=check_in"
    ok(town.product.client.put(url, content=photo, headers=town.phone(name)))
    ok(town.act(name, ticket_id, "check_in", photo_ids=[photo_id], position=town.at_site(**position)))
    town.settle()
    ok(town.act(name, ticket_id, "hold", reason="parts"))
    (line,) = town.view(ticket_id)["evidence"]
    return dict(line)


def _again(photo: bytes, mirrored: bool) -> bytes:
    """The same scene saved anew: other bytes, the same picture or its mirror image."""
    opened = Image.open(io.BytesIO(photo)).resize((300, 225))
    kept = io.BytesIO()
    (ImageOps.mirror(opened) if mirrored else opened).save(kept, "JPEG", quality=70)
    return kept.getvalue()


def _codes(line: dict[str, object]) -> list[str]:
    return [doubt["code"] for doubt in line["doubts"]]  # type: ignore[attr-defined, index]  # JSON


def test_a_photo_used_again_on_another_ticket_is_found_even_mirrored(product: Product) -> None:
    town = product.company()
    first = picture(1)
    assert _arrived(town, first)["doubt_score"] == 0
    assert _codes(_arrived(town, picture(2))) == []
    assert _codes(_arrived(town, first)) == ["photo_reused"]
    assert "photo_mirrored" in _codes(_arrived(town, _again(first, mirrored=True)))


#: Two sites whose slow waves differ in 2 bits of 64 and whose gradients in 22.
ALIKE_BY_CHANCE = (4, 65)


@pytest.mark.parametrize("older", [False, True])
def test_scenes_alike_by_chance_accuse_nobody_and_photos_from_before_are_compared_as_they_were(
    product: Product, older: bool
) -> None:
    """Without the second fingerprint, as the photos of former versions are, the same two are taken for one."""
    town = product.company()
    one, other = map(site_photo, ALIKE_BY_CHANCE)
    _arrived(town, one)
    if older:
        product.rows(
            "update blobs set dhash = null, mirror_dhash = null where tenant_id = %(tenant)s returning 1",
            town.made.tenant_id,
        )
    assert _codes(_arrived(town, other)) == (["photo_reused"] if older else [])


def test_another_companys_photos_are_never_compared(product: Product) -> None:
    _arrived(product.company(), picture(3))
    assert _codes(_arrived(product.company(), picture(3))) == []


def test_a_faked_position_is_shown_with_its_points_and_refuses_nothing(product: Product) -> None:
    line = _arrived(product.company(), picture(4), mock=True)
    assert line["doubt_score"] == evidence_doubts.POINTS["mock_position"]


def test_sabotage_without_comparison_a_photo_used_again_goes_unseen(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check above sees what it claims to see."""
    town = product.company()
    _arrived(town, picture(5))
    monkeypatch.setattr(looking, "_like", lambda step, photo: [])
    assert _codes(_arrived(town, picture(5))) == []
