import osmium
import pytest
from osmium.osm.mutable import Node, Way

from geo.gazetteer import MAX_QUERY_CHARS, Entry, Gazetteer
from geo.points import GeoError, Point

ENTRIES = [
    Entry("示例城市古城区人民路12号", "12 Renmin Road, Old Town", "address", Point(118.68, 24.86)),
    Entry("示例城市古城区人民路120号", "120 Renmin Road, Old Town", "address", Point(118.69, 24.86)),
    Entry("示例城市港城区福海一巷12号 福海花园3栋", "Building 3 Fuhai Garden, 12 Fuhai 1st Lane",
          "address", Point(118.6, 24.8)),
    Entry("示例城市港城区福海二巷12号", "12 Fuhai 2nd Lane", "address", Point(118.61, 24.8)),
    Entry("人民路", "Renmin Road", "street", Point(118.685, 24.86)),
    Entry("人民路与福海一巷交叉口", "Renmin Road & Fuhai 1st Lane", "crossing", Point(118.65, 24.85)),
    Entry("示例第一医院", "Demo First Hospital", "place", Point(118.7, 24.87)),
    Entry("示例第一医院", "Demo First Hospital", "place", Point(118.3, 24.5)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("人民路12号", 0),
        ("古城区人民路120", 1),
        ("人民路１２０号", 1),
        ("福海花园3栋", 2),
        ("福海二巷12", 3),
        ("12 fuhai 2nd lane", 3),
        ("RENMIN ROAD 12", 0),
        ("人民路", 4),
        ("Renmin Rd & Fuhai 1st", 5),
        ("福海一巷和人民路路口", 5),
        ("第一医院", 6),
    ],
)
def test_partial_text_in_either_language_finds_the_place(query, expected):
    found = Gazetteer(ENTRIES).find(query)
    assert found[0].entry == ENTRIES[expected]
    assert found[0].score <= 1
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)


def test_among_equals_the_nearer_one_comes_first():
    gazetteer = Gazetteer(ENTRIES)
    for index in (6, 7):
        assert gazetteer.find("第一医院", near=ENTRIES[index].position)[0].entry == ENTRIES[index]


@pytest.mark.parametrize("query", ["", "x", "，。！", "Zzyzx Qwop", "🙂"])
def test_what_is_not_there_is_not_found(query):
    assert Gazetteer(ENTRIES).find(query) == []


def test_limits_hold():
    gazetteer = Gazetteer(ENTRIES)
    assert len(gazetteer.find("示例城市", 2)) <= 2
    assert gazetteer.find("人民路", 0) == []
    assert gazetteer.find("人民路" + "，" * MAX_QUERY_CHARS + "福海")[0].score == 1.0
    assert Gazetteer([]).find("人民路") == []


def written(path):
    with osmium.SimpleWriter(str(path)) as writer:
        places = [(24.94, 60.17), (24.95, 60.17), (24.945, 60.165), (24.945, 60.175), (24.951, 60.171)]
        for index, place in enumerate(places):
            tags = (
                {"addr:housenumber": "5", "addr:street": "Mannerheimintie", "addr:city": "Helsinki"}
                if index == 4
                else {}
            )
            writer.add_node(Node(id=index + 1, version=1, location=place, tags=tags))
        writer.add_node(Node(id=6, version=1, location=(24.945, 60.17)))
        writer.add_node(
            Node(id=7, version=1, location=(24.96, 60.18), tags={"amenity": "cafe", "name": "Kahvila"})
        )
        writer.add_way(
            Way(id=1, version=1, nodes=[1, 6, 2], tags={"highway": "primary", "name": "Mannerheimintie"})
        )
        writer.add_way(
            Way(id=2, version=1, nodes=[3, 6, 4], tags={"highway": "tertiary", "name": "Runeberginkatu"})
        )
    return path


def test_addresses_places_streets_and_crossings_are_read_from_a_pbf(tmp_path):
    gazetteer = Gazetteer.from_pbf(written(tmp_path / "small.osm.pbf"))
    assert {entry.kind for entry in gazetteer.entries} == {"address", "place", "street", "crossing"}
    assert gazetteer.find("mannerheimintie 5")[0].entry.text == "Mannerheimintie 5, Helsinki"
    crossing = gazetteer.find("Mannerheimintie Runeberginkatu")[0].entry
    assert crossing.kind == "crossing"
    assert crossing.position == Point(24.945, 60.17)
    assert gazetteer.find("kahvila")[0].entry.kind == "place"


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "damaged.osm.pbf"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "cut":
        whole = written(tmp_path / "whole.osm.pbf").read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
    elif damage == "noise":
        path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(GeoError, match="pbf_unreadable") as refusal:
        Gazetteer.from_pbf(path)
    assert refusal.value.facts["file"] == "damaged.osm.pbf"
