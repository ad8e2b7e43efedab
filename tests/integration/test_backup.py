"""A backup brings everything back; a damaged or foreign one is refused before anything is touched."""

import argparse
import base64
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from moto import mock_aws

from api.command_line import backup, restore
from api.command_line.backup_files import DUMP, MANIFEST
from api.command_line.problems import CommandError
from dispatch.adapters.storage_s3 import S3Store, s3_client
from tests.builders import new_ticket
from tests.databases import Database
from tests.house import Product, Town

BUCKET = "PAIDAN_PHOTOS_S3_BUCKET"


@pytest.fixture
def house(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """A product over a database of its own, its settings in the environment as a command finds them."""
    made = Product(fresh_database, tmp_path / "state")
    for name, value in fresh_database.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(backup.BACKUP_URL, fresh_database.superuser_url)
    monkeypatch.setenv("PAIDAN_SECRET_KEY", base64.b64encode(made.settings.secret_key).decode())
    monkeypatch.setenv("PAIDAN_DATA_KEY", base64.b64encode(made.settings.data_key).decode())
    monkeypatch.setenv("PAIDAN_STATE", str(made.settings.state))
    yield made
    made.close()
    drop_kept(fresh_database)


def drop_kept(database: Database) -> None:
    with psycopg.connect(database.superuser_url.replace(database.name, "postgres"), autocommit=True) as db:
        left = db.execute("select datname from pg_database where datname like %s", [f"{database.name}_%"])
        for (name,) in left.fetchall():
            db.execute(f'drop database "{name}" with (force)')


def other_databases(database: Database) -> list[str]:
    with psycopg.connect(database.superuser_url) as db:
        rows = db.execute("select datname from pg_database where datname like %s", [f"{database.name}_%"])
        return [name for (name,) in rows.fetchall()]


def run(module: Any, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    args = parser.parse_args(words)
    args.env_file = None
    return int(module.run(args))


def some_work(house: Product) -> tuple[Town, str]:
    """Two tickets, one of them with a photo."""
    town = house.company()
    town.create(new_ticket("survey"))
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    town.assign_by_hand(ticket_id, "Ana")
    town.photo("Ana", ticket_id, "check_in")
    return town, ticket_id


def seen(house: Product, town: Town) -> list[dict[str, Any]]:
    house.app.state.database.engine.dispose()
    return house.rows(
        "select id, status, description, encode(contact_name_enc, 'hex') as who from tickets "
        "where tenant_id = %(tenant)s order by id",
        town.made.tenant_id,
    )


@pytest.mark.parametrize("name", ["kept", "kept.tar"])
def test_what_was_backed_up_comes_back(house: Product, tmp_path: Path, name: str) -> None:
    town, ticket_id = some_work(house)
    before, place = seen(house, town), tmp_path / name
    assert run(backup, str(place)) == 0
    town.create(new_ticket("survey"))
    shutil.rmtree(house.settings.photos_dir)
    house.app.state.database.engine.dispose()
    assert run(restore, str(place), "--replace") == 0
    assert seen(house, town) == before
    photos = house.rows("select encode(sha256, 'hex') as hash from blobs", town.made.tenant_id)
    kept = [p.name for p in house.settings.photos_dir.rglob("*.original")]
    assert kept == [f"{row['hash']}.original" for row in photos]
    assert town.direct(ticket_id, "note", text="after the restore").status_code == 200


def test_a_database_in_use_gives_way_only_when_told_to(house: Product, tmp_path: Path) -> None:
    town, _ = some_work(house)
    assert run(backup, str(tmp_path / "kept")) == 0
    with pytest.raises(CommandError, match="--replace"):
        run(restore, str(tmp_path / "kept"))
    assert run(restore, str(tmp_path / "kept"), "--check") == 0
    assert other_databases(house.database) == []
    assert len(seen(house, town)) == 2


def truncate(place: Path) -> None:
    (place / DUMP).write_bytes((place / DUMP).read_bytes()[:-100])


def flip(place: Path) -> None:
    body = bytearray((place / DUMP).read_bytes())
    body[len(body) // 2] ^= 1
    (place / DUMP).write_bytes(body)


def lose_photo(place: Path) -> None:
    next((place / "photos").rglob("*.original")).unlink()


def lose_manifest(place: Path) -> None:
    (place / MANIFEST).unlink()


def change_manifest(**changes: Any) -> Any:
    def change(place: Path) -> None:
        told = json.loads((place / MANIFEST).read_text())
        (place / MANIFEST).write_text(json.dumps(told | changes))

    return change


def one_row_too_many(place: Path) -> None:
    told = json.loads((place / MANIFEST).read_text())
    told["rows"]["tickets"] += 1
    (place / MANIFEST).write_text(json.dumps(told))


def another_end(place: Path) -> None:
    told = json.loads((place / MANIFEST).read_text())
    told["heads"] = {tenant: [seq, "00" * 32] for tenant, (seq, _) in told["heads"].items()}
    (place / MANIFEST).write_text(json.dumps(told))


def outside(place: Path) -> None:
    told = json.loads((place / MANIFEST).read_text())
    told["files"]["../../etc/passwd"] = {"bytes": 1, "sha256": ""}
    (place / MANIFEST).write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("sabotage", "said"),
    [
        (truncate, "damaged"),
        (flip, "checksum"),
        (lose_photo, "missing"),
        (lose_manifest, "no backup"),
        (change_manifest(format="other/9"), "format"),
        (change_manifest(key_mark="0" * 16), "PAIDAN_DATA_KEY"),
        (change_manifest(revision="9999"), "9999"),
        (one_row_too_many, "rows are missing"),
        (another_end, "chains"),
        (outside, "outside"),
    ],
)
def test_each_way_to_spoil_a_backup_is_noticed_and_nothing_changes(
    house: Product, tmp_path: Path, sabotage: Any, said: str
) -> None:
    town, _ = some_work(house)
    place = tmp_path / "kept"
    assert run(backup, str(place)) == 0
    sabotage(place)
    with pytest.raises(CommandError, match=said):
        run(restore, str(place), "--replace")
    assert other_databases(house.database) == []
    assert len(seen(house, town)) == 2


def test_a_changed_history_inside_a_backup_is_noticed(house: Product, tmp_path: Path) -> None:
    """The files are whole, but somebody changed an event before the backup was made."""
    some_work(house)
    with psycopg.connect(house.database.superuser_url) as db:
        db.execute("update ticket_events set facts = '{\"changed\": 1}' where action = 'assign'")
    assert run(backup, str(tmp_path / "kept")) == 0
    with pytest.raises(CommandError, match="breaks"):
        run(restore, str(tmp_path / "kept"), "--replace")
    assert other_databases(house.database) == []


def test_a_file_cut_short_or_of_another_kind_is_no_backup(house: Product, tmp_path: Path) -> None:
    some_work(house)
    place = tmp_path / "kept.tar"
    assert run(backup, str(place)) == 0
    whole = place.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"PK\x03\x04 something else" * 100):
        place.write_bytes(content)
        with pytest.raises(CommandError, match=r"no backup|damaged|not whole"):
            run(restore, str(place), "--replace")
    with pytest.raises(CommandError, match="no backup"):
        run(restore, str(tmp_path / "nowhere"))


def test_a_tar_that_would_write_elsewhere_is_refused(house: Product, tmp_path: Path) -> None:
    evil, place = tmp_path / "evil", tmp_path / "evil.tar"
    evil.write_text("x")
    with tarfile.open(place, "w") as tar:
        tar.add(evil, "../../elsewhere")
    with pytest.raises(CommandError, match="no backup"):
        run(restore, str(place))


def test_a_photo_lost_before_the_backup_is_named(
    house: Product, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some_work(house)
    next(house.settings.photos_dir.rglob("*.original")).unlink()
    assert run(backup, str(tmp_path / "kept")) == 1
    assert ".original" in capsys.readouterr().err


@pytest.fixture
def bucket(house: Product, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Photos kept in a bucket instead of the folder."""
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), (BUCKET, "photos")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = s3_client(endpoint_url=None, region="us-east-1", access_key="test", secret_key="test")
        client.create_bucket(Bucket="photos")
        house.app.state.rooms.blobs = S3Store("photos", client)
        yield client


def objects(client: Any) -> dict[str, bytes]:
    listed = client.list_objects_v2(Bucket="photos").get("Contents", [])
    return {one["Key"]: client.get_object(Bucket="photos", Key=one["Key"])["Body"].read() for one in listed}


def test_photos_in_a_bucket_are_in_the_backup_and_come_back(
    house: Product, bucket: Any, tmp_path: Path
) -> None:
    some_work(house)
    before = objects(bucket)
    assert {key.rpartition(".")[2].partition("-")[0] for key in before} == {"original", "large", "thumb"}
    assert run(backup, str(tmp_path / "kept")) == 0
    for key in before:
        bucket.delete_object(Bucket="photos", Key=key)
    house.app.state.database.engine.dispose()
    assert run(restore, str(tmp_path / "kept"), "--replace") == 0
    assert objects(bucket) == before


def test_a_photo_gone_from_the_bucket_is_named(
    house: Product, bucket: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some_work(house)
    key = next(key for key in objects(bucket) if key.endswith(".original"))
    bucket.put_object(Bucket="photos", Key=key, Body=b"something else")
    assert run(backup, str(tmp_path / "kept")) == 1
    assert ".original" in capsys.readouterr().err


def test_a_backup_never_overwrites_another_and_leaves_nothing_half_done(
    house: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_work(house)
    (tmp_path / "kept").mkdir()
    with pytest.raises(CommandError, match="exists already"):
        run(backup, str(tmp_path / "kept"))
    for url in (house.database.app_url, house.database.owner_url):
        monkeypatch.setenv(backup.BACKUP_URL, url)
        with pytest.raises(CommandError, match="may not"):
            run(backup, str(tmp_path / "other"))
    assert sorted(os.listdir(tmp_path)) == ["kept", "state"]
