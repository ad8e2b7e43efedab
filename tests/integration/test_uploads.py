"""A photo in pieces: the line breaks anywhere, and nothing is lost, doubled or half kept."""

from collections.abc import Callable
from typing import Any

import pytest

from dispatch.adapters.storage import FolderStore, StorageFull
from dispatch.store.ids import new_id
from tests.builders import new_ticket, picture
from tests.house import Town, ok, refused

PIECE = 3_000


class Line:
    """Ana's phone on a poor line."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
        town.settle()
        self.name = town.view(self.ticket_id)["ticket"]["engineer_name"]
        self.photo_id = str(new_id())

    def begin(self, raw: bytes, **more: Any) -> Any:
        body = {"ticket_id": self.ticket_id, "kind": "completion", "bytes_total": len(raw), **more}
        return self.ask("POST", json=body)

    def piece(self, offset: int, content: bytes) -> Any:
        return self.ask("PATCH", f"?offset={offset}", content=content)

    def ask(self, method: str, query: str = "", **sent: Any) -> Any:
        url = f"/engineer/v1/uploads/{self.photo_id}{query}"
        return self.town.product.client.request(method, url, headers=self.town.phone(self.name), **sent)

    def send_all(self, raw: bytes) -> dict[str, Any]:
        status = ok(self.ask("GET"))
        while status["photo"] is None:
            offset = status["offset"]
            status = ok(self.piece(offset, raw[offset : offset + PIECE]))
        return dict(status["photo"])

    def chunks(self) -> list[Any]:
        return list(self.town.product.settings.photos_dir.glob(f"{self.town.made.tenant_id}/*/*.chunk"))


@pytest.fixture
def line(town: Town) -> Line:
    return Line(town)


def test_a_photo_in_pieces_is_the_photo_and_its_pieces_go(line: Line) -> None:
    raw = picture(11)
    assert ok(line.begin(raw))["offset"] == 0
    ok(line.piece(0, raw[:PIECE]))
    assert ok(line.begin(raw))["offset"] == PIECE
    facts = refused(line.piece(0, raw[:PIECE]), 409, "upload_offset_wrong")
    assert facts["offset"] == PIECE
    taken = line.send_all(raw)
    assert taken["photo_id"] == line.photo_id
    assert line.chunks() == []
    refused(line.ask("GET"), 404, "upload_unknown")
    done = line.town.act(line.name, line.ticket_id, "note", text="x")
    assert any(p["photo_id"] == line.photo_id for p in done.json()["today"]["tickets"][0]["photos"])


def test_too_much_too_long_and_anothers_upload_are_refused(line: Line) -> None:
    raw = picture(12)
    ok(line.begin(raw))
    refused(line.piece(0, raw + b"x"), 409, "upload_too_large")
    other = "Ben" if line.name == "Ana" else "Ana"
    url = f"/engineer/v1/uploads/{line.photo_id}"
    refused(line.town.product.client.get(url, headers=line.town.phone(other)), 404, "upload_unknown")
    refused(line.begin(raw, kind="signature"), 409, "upload_id_reused")
    assert line.begin(raw, bytes_total=50 * 1024 * 1024 + 1).status_code == 422


def test_what_is_no_photo_is_refused_once_whole_and_forgotten(line: Line) -> None:
    raw = b"not a photo" * 100
    ok(line.begin(raw))
    refused(line.piece(0, raw), 422, "photo_format_not_allowed")
    assert line.chunks() == []


def test_unfinished_uploads_are_swept_when_their_time_is_over(line: Line) -> None:
    raw = picture(13)
    ok(line.begin(raw))
    ok(line.piece(0, raw[:PIECE]))
    assert len(line.chunks()) == 1
    line.town.product.clock.move(days=2, minutes=1)
    refused(line.ask("GET"), 404, "upload_unknown")
    line.photo_id = str(new_id())
    ok(line.begin(raw))
    assert line.chunks() == []


def test_a_full_disk_counts_nothing_and_the_upload_goes_on_afterwards(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = picture(14)
    ok(line.begin(raw))
    ok(line.piece(0, raw[:PIECE]))
    put: Callable[..., None] = FolderStore.put

    def full(self: FolderStore, *arguments: Any) -> None:
        raise StorageFull

    monkeypatch.setattr(FolderStore, "put", full)
    refused(line.piece(PIECE, raw[PIECE:]), 507, "storage_full")
    assert ok(line.ask("GET"))["offset"] == PIECE
    monkeypatch.setattr(FolderStore, "put", put)
    assert line.send_all(raw)["photo_id"] == line.photo_id


def test_sabotage_counted_before_durable_a_full_disk_loses_a_piece(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = picture(15)
    ok(line.begin(raw))
    monkeypatch.setattr(FolderStore, "put", lambda self, *arguments: None)
    ok(line.piece(0, raw[:PIECE]))
    monkeypatch.undo()
    status = line.piece(PIECE, raw[PIECE:])
    assert status.status_code == 404, "the missing piece is noticed when the photo is put together"
