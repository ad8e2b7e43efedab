"""Address text to places, offline: from the addresses, names and crossings in an OSM extract.

Text is matched by pairs of neighbouring characters, which needs no word list and suits Chinese as well
as English; rare pairs weigh more, so the city's name in front of every address decides nothing. Numbers
are matched whole.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal

import numpy as np
import osmium
from numpy.typing import NDArray

from geo.points import GeoError, Point, distances_m

Kind = Literal["address", "place", "street", "crossing"]

MAX_QUERY_CHARS: Final = 200
_NEAR_M: Final = 5_000.0
_NUMBER_WEIGHT: Final = 2.5
_RUN: Final = re.compile(r"\d+(?:st|nd|rd|th)\b|\d+|[a-z]+|[^\W\d_a-z]+")
_PLACE_KEYS: Final = (
    "amenity",
    "shop",
    "office",
    "tourism",
    "railway",
    "place",
    "leisure",
    "healthcare",
    "building",
)
_FILLER: Final = frozenset({"号", "no"})


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be found. `english` may be empty; the position is WGS-84."""

    text: str
    english: str
    kind: Kind
    position: Point


@dataclass(frozen=True, slots=True)
class Candidate:
    """score is 0 to 1: the weighed share of the query that the entry contains, less what the entry has
    besides."""

    entry: Entry
    score: float


class Gazetteer:
    """An index over entries; read-only once made, so threads may share it."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        texts = [text for entry in self.entries for text in (entry.text, entry.english)]
        grams: dict[str, int] = {}
        codes: list[int] = []
        lengths: list[int] = []
        for text in texts:
            found = _grams(text)
            codes += [grams.setdefault(gram, len(grams)) for gram in found]
            lengths.append(len(found))
        documents = np.repeat(np.arange(len(texts)), lengths)
        order = np.argsort(np.array(codes, np.int32), kind="stable")
        counts = (
            np.bincount(np.array(codes, np.int32), minlength=len(grams)) if codes else np.zeros(0, np.int_)
        )
        self._grams = grams
        self._starts = np.concatenate([[0], np.cumsum(counts)])
        self._postings: NDArray[np.int32] = documents[order].astype(np.int32)
        number = np.array([gram[0] == "#" for gram in grams], np.bool_)
        self._idf = np.log1p(len(texts) / (counts + 1.0)) * np.where(number, _NUMBER_WEIGHT, 1.0)
        weights = self._idf[np.array(codes, np.int32)] if codes else np.zeros(0)
        self._document_weight = np.bincount(documents, weights=weights, minlength=len(texts)) + 1e-9
        self._lon = np.array([entry.position.lon for entry in self.entries])
        self._lat = np.array([entry.position.lat for entry in self.entries])

    @staticmethod
    def from_pbf(path: Path | str) -> Gazetteer:
        """The index of an OSM extract. Raises GeoError pbf_unreadable."""
        return Gazetteer(list(read_entries(path)))

    def find(self, text: str, limit: int = 8, near: Point | None = None) -> list[Candidate]:
        """The best entries for the text, best first, at most `limit`; among equals the ones closest to
        `near`.

        Text shorter than two characters finds nothing; only the first MAX_QUERY_CHARS are read.
        """
        wanted = _grams(text[:MAX_QUERY_CHARS])
        known = [self._grams[gram] for gram in wanted if gram in self._grams]
        if not known or limit <= 0:
            return []
        unknown_weight = math.log1p(len(self._document_weight)) * (len(wanted) - len(known))
        total = float(self._idf[known].sum()) + unknown_weight
        matched = np.zeros(len(self._document_weight))
        for code in known:
            matched[self._postings[self._starts[code] : self._starts[code + 1]]] += self._idf[code]
        score = matched / total * (0.8 + 0.2 * matched / self._document_weight)
        best = np.maximum(score[0::2], score[1::2])
        ranked = best
        if near is not None:
            away_m = distances_m(near.lon, near.lat, self._lon, self._lat)
            ranked = best * (1.0 + 0.05 * np.exp(-away_m / _NEAR_M))
        count = min(limit, int((best > 0.15).sum()))
        top = np.argpartition(-ranked, max(0, count - 1))[:count] if count else np.zeros(0, np.intp)
        top = top[np.lexsort((top, -ranked[top]))]
        return [Candidate(self.entries[k], round(float(best[k]), 4)) for k in top]


def _grams(text: str) -> list[str]:
    """What is compared, each once: pairs of neighbouring characters, numbers, Latin words and their
    beginnings."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    found: dict[str, None] = {}
    before = ""
    for run in _RUN.findall(plain):
        if run[0].isdecimal():
            found["#" + run.lstrip("0")] = None
            before = ""
            continue
        if run in _FILLER:
            before = ""
            continue
        latin = run.isascii()
        if latin:
            found["^" + run[:3]] = None
            found["=" + run] = None
        joined = run if latin or not before else before + run
        for first, second in pairwise(joined):
            found[first + second] = None
        before = "" if latin else run[-1]
    return list(found)


def read_entries(path: Path | str) -> Iterator[Entry]:
    """Addresses and named places first, then named streets and the crossings of two of them.

    Raises GeoError pbf_unreadable when the file is missing, cut short or no OSM file.
    """
    streets: dict[str, _Street] = {}
    crossings: dict[int, set[str]] = {}
    positions: dict[int, tuple[float, float]] = {}
    try:
        processor = osmium.FileProcessor(str(path)).with_locations()
        for thing in processor.with_filter(osmium.filter.KeyFilter("addr:housenumber", "name")):
            tags = {tag.k: tag.v for tag in thing.tags}
            if isinstance(thing, osmium.osm.Node):
                yield from _entry(tags, [(thing.lon, thing.lat)])
            elif isinstance(thing, osmium.osm.Way):
                nodes = {node.ref: (node.lon, node.lat) for node in thing.nodes if node.location.valid()}
                if nodes and "highway" in tags and "name" in tags:
                    _add_street(streets, tags, list(nodes.values()))
                    positions |= nodes
                    for node in nodes:
                        crossings.setdefault(node, set()).add(tags["name"])
                elif nodes:
                    yield from _entry(tags, list(nodes.values()))
    except (RuntimeError, OSError) as error:
        raise GeoError("pbf_unreadable", {"file": Path(path).name, "reason": str(error)[:200]}) from error
    for name, street in streets.items():
        yield Entry(name, street.english, "street", Point(*street.middle))
    yield from _crossings(crossings, positions, streets)


@dataclass(slots=True)
class _Street:
    english: str
    middle: tuple[float, float]
    nodes: int


def _add_street(streets: dict[str, _Street], tags: dict[str, str], spots: list[tuple[float, float]]) -> None:
    """The longest way of a street gives its place."""
    known = streets.get(tags["name"])
    if known is None or len(spots) > known.nodes:
        streets[tags["name"]] = _Street(tags.get("name:en", ""), spots[len(spots) // 2], len(spots))


def _entry(tags: dict[str, str], spots: list[tuple[float, float]]) -> Iterator[Entry]:
    middle = np.mean(spots, axis=0)
    position = Point(float(middle[0]), float(middle[1]))
    name, english = tags.get("name", ""), tags.get("name:en", "")
    if "addr:housenumber" in tags and ("addr:street" in tags or "addr:place" in tags):
        yield Entry(_address(tags, name), _english_address(tags, english), "address", position)
    elif name and any(key in tags for key in _PLACE_KEYS):
        district = tags.get("addr:city", "") + tags.get("addr:district", "")
        yield Entry(district + name, english, "place", position)


def _address(tags: dict[str, str], name: str) -> str:
    """In the order that the address's own script uses: from large to small in Chinese, else from small
    to large."""
    street = tags.get("addr:street") or tags["addr:place"]
    number, city = tags["addr:housenumber"], tags.get("addr:city", "")
    if _is_chinese(street):
        text = f"{city}{tags.get('addr:district', '')}{street}{number}"
        return f"{text} {name}" if name else text
    text = ", ".join(part for part in (f"{street} {number}", tags.get("addr:postcode", ""), city) if part)
    return f"{name}, {text}" if name else text


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def _english_address(tags: dict[str, str], name: str) -> str:
    if "addr:street:en" not in tags:
        return name
    number = re.sub(r"\D+$", "", tags["addr:housenumber"])
    parts = (
        f"{number} {tags['addr:street:en']}",
        tags.get("addr:district:en", ""),
        tags.get("addr:city:en", ""),
    )
    text = ", ".join(p for p in parts if p)
    return f"{name}, {text}" if name else text


def _crossings(
    crossings: dict[int, set[str]], positions: dict[int, tuple[float, float]], streets: dict[str, _Street]
) -> Iterable[Entry]:
    """One entry for each pair of streets that meet."""
    seen: set[tuple[str, str]] = set()
    for node, names in crossings.items():
        ordered = sorted(names)
        for index, first in enumerate(ordered):
            for second in ordered[index + 1 :]:
                if (first, second) in seen:
                    continue
                seen.add((first, second))
                english = [streets[name].english for name in (first, second)]
                both = " & ".join(english) if all(english) else ""
                text = f"{first}与{second}交叉口" if _is_chinese(first) else f"{first} & {second}"
                yield Entry(text, both, "crossing", Point(*positions[node]))
