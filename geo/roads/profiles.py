"""Who may use a way, in which direction and how fast: OpenStreetMap tags in, km/h and seconds out.

Speeds are what a careful driver averages between junctions on a free road, not the limit. Turn, signal and
barrier seconds come on top. The hour factors are a prior for a large Chinese city, to be replaced by
observed trips. Tag meanings: wiki.openstreetmap.org, pages Key:access, Key:oneway, Key:maxspeed,
Key:barrier, Relation:restriction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

Tags = Mapping[str, str]

NETWORKS: dict[str, tuple[str, ...]] = {"car": ("car",), "bike": ("ebike", "bicycle"), "foot": ("foot",)}
"""A network is a graph of its own; the modes of one network differ in speed only."""
NETWORK_OF = {mode: network for network, modes in NETWORKS.items() for mode in modes}
MODES = tuple(NETWORK_OF)

CLASSES = (
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary",
    "secondary_link",
    "tertiary", "tertiary_link", "unclassified", "residential", "living_street", "service", "road", "track",
    "pedestrian", "cycleway", "footway", "path", "steps", "bridleway", "ferry",
)  # fmt: skip
CLASS_INDEX = {name: i for i, name in enumerate(CLASSES)}
GROUPS = ("fast", "arterial", "street", "slow")
"""Groups of classes that share an hour factor: motorway and trunk; primary and secondary; tertiary down to
residential; everything slower, and ferries."""
GROUP_OF_CLASS = tuple(0 if i < 4 else 1 if i < 8 else 2 if i < 12 else 3 for i in range(len(CLASSES)))

_CAR_KMH = {
    "motorway": 105, "motorway_link": 55, "trunk": 72, "trunk_link": 45, "primary": 55, "primary_link": 38,
    "secondary": 48, "secondary_link": 34, "tertiary": 40, "tertiary_link": 30, "unclassified": 32,
    "residential": 24,
    "living_street": 10, "service": 13, "road": 20, "track": 12, "ferry": 16,
}  # fmt: skip
_CAR_KMH_BY_COUNTRY: dict[str, dict[str, int]] = {
    "CN": {
        "motorway": 95,
        "trunk": 58,
        "primary": 45,
        "secondary": 40,
        "tertiary": 34,
        "unclassified": 28,
        "residential": 22,
    },
    "HK": {"motorway": 85, "trunk": 60, "primary": 40, "secondary": 36, "tertiary": 32, "residential": 24},
    "MO": {"motorway": 70, "trunk": 55, "primary": 38, "secondary": 34, "tertiary": 30, "residential": 22},
    "DE": {"motorway": 120, "trunk": 85, "primary": 62, "secondary": 58, "tertiary": 50},
}
_BIKE_KMH = {
    "trunk": 16, "trunk_link": 15, "primary": 16, "primary_link": 15, "secondary": 16, "secondary_link": 15,
    "tertiary": 16, "tertiary_link": 15, "unclassified": 16, "residential": 15, "living_street": 11,
    "service": 13,
    "road": 14, "track": 11, "pedestrian": 6, "cycleway": 17, "footway": 5, "path": 11, "ferry": 16,
}  # fmt: skip
_FOOT_KMH = {name: 4.8 for name in CLASSES if not name.startswith("motorway")} | {"steps": 2.0, "ferry": 16.0}
MODE_SPEED_FACTOR = {"car": 1.0, "ebike": 1.35, "bicycle": 1.0, "foot": 1.0}
"""E-bikes: 15 km/h becomes 20, below the 25 km/h that GB 17761-2018 allows. Not applied to pushing (≤ 6
km/h) and ferries."""

LEFT_HAND = frozenset(
    "AU BD BN CY FJ GB GG GY HK ID IE IM IN JE JM JP KE LK MO MT MU MV MY MZ NP NZ PK SG TH TZ UG ZA ZM "
    "ZW".split()
)
_BOXES = (  # west, south, east, north; the first that holds the centre of the roads wins
    ("HK", 113.83, 22.15, 114.41, 22.51), ("MO", 113.52, 22.10, 113.61, 22.22), ("TW", 119.3, 21.8, 122.1,
    25.4),
    ("LI", 9.47, 47.04, 9.64, 47.28), ("MC", 7.40, 43.72, 7.45, 43.76), ("FI", 21.0, 59.7, 31.6, 70.1),
    ("KR", 125.8, 33.0, 129.7, 38.5), ("JP", 128.6, 30.0, 146.0, 45.6), ("IE", -10.6, 51.4, -6.0, 55.4),
    ("GB", -8.2, 49.9, 1.8, 60.9), ("SG", 103.6, 1.15, 104.1, 1.48), ("CN", 73.5, 18.0, 134.8, 53.6),
)  # fmt: skip

ACCESS_KEYS = {
    "car": ("access", "vehicle", "motor_vehicle", "motorcar"),
    "bike": ("access", "vehicle", "bicycle"),
    "foot": ("access", "foot"),
}
CLOSED = frozenset("no agricultural forestry emergency psv bus military discouraged use_sidepath".split())
_RESTRICTED = frozenset(
    "private destination delivery customers permit residents residential employees".split()
)
_SURFACE_CAP: dict[str, dict[str, int]] = {
    "car": {"gravel": 40, "fine_gravel": 45, "compacted": 50, "unpaved": 35, "pebblestone": 30, "ground": 22,
        "dirt": 20,
            "earth": 20, "grass": 12, "sand": 12, "mud": 8, "cobblestone": 25, "sett": 30,
            "unhewn_cobblestone": 18},
    "bike": {"gravel": 11, "fine_gravel": 13, "compacted": 14, "unpaved": 11, "pebblestone": 9, "ground": 10,
    "dirt": 9,
             "earth": 9, "grass": 7, "sand": 5, "mud": 5, "cobblestone": 10, "sett": 12,
             "unhewn_cobblestone": 8},
    "foot": {"sand": 3, "mud": 3},
}  # fmt: skip
_TRACK_CAP = {"grade2": 25, "grade3": 18, "grade4": 12, "grade5": 8}

_BLOCKS = {
    "car": frozenset(
        "bollard block jersey_barrier cycle_barrier motorcycle_barrier kissing_gate stile turnstile chain "
        "log debris "
        "fence wall hedge guard_rail bus_trap sump_buster full-height_turnstile rope planter "
        "barrier_board".split()
    ),
    "bike": frozenset(
        "kissing_gate stile turnstile full-height_turnstile fence wall hedge guard_rail debris".split()
    ),
    "foot": frozenset("fence wall hedge guard_rail".split()),
}
_BARRIER_S = {
    "car": {
        "gate": 25,
        "lift_gate": 20,
        "swing_gate": 25,
        "sliding_gate": 20,
        "toll_booth": 15,
        "border_control": 60,
    },
    "bike": {"gate": 8, "lift_gate": 4, "swing_gate": 8, "cycle_barrier": 6, "bollard": 1, "block": 2},
    "foot": {"gate": 5, "kissing_gate": 4, "stile": 8, "turnstile": 5},
}
PRIVATE_GATE_S = 180
"""A gate tagged private on a road that is open: it may be locked, so it is passed only where nothing else
leads there."""
_SIGNAL_S = {"car": 9, "bike": 8, "foot": 8}
SIGNALS_TOGETHER_M = 30.0
"""Signalled nodes nearer to one another belong to one crossing (see signals)."""
_SIGN_S: dict[str, dict[str, int]] = {"car": {"stop": 4, "give_way": 2}, "bike": {"stop": 2}, "foot": {}}
ENTRY_S = {"car": 600, "bike": 300, "foot": 120}
"""Charged on entering a private or destination-only road and taken off again where the trip ends on one:
such roads are reached, never driven through."""
FERRY_BOARDING_S = {"car": 300, "bike": 180, "foot": 180}

# Factor on free speed by hour of the day for GROUPS; a prior.
_FAST = (1, 1, 1, 1, 1, 1, .97, .88, .82, .86, .9, .92, .93, .93, .92, .9, .87, .8, .78, .86, .93, .97, 1,
1)  # fmt: skip
_ARTERIAL = (1, 1, 1, 1, 1, 1, .93, .74, .64, .7, .78, .8, .82, .82, .8, .78, .73, .63, .61, .72, .82, .9,
.97, 1)  # fmt: skip
_STREET = (1, 1, 1, 1, 1, 1, .96, .84, .78, .82, .86, .87, .87, .88, .87, .86, .83, .77, .76, .82, .88, .93,
.98, 1)  # fmt: skip
HOUR_FACTORS: tuple[tuple[float, float, float, float], ...] = tuple(
    (f, a, s, 1.0) for f, a, s in zip(_FAST, _ARTERIAL, _STREET, strict=True)
)


@dataclass(frozen=True, slots=True)
class WayRule:
    """How one network may use a way. 0 km/h: not in this direction."""

    forward_kmh: float
    backward_kmh: float
    class_index: int
    restricted: bool = False
    roundabout: bool = False
    kerb_only: bool = False
    """A wide road: a stop is reached on its own side only."""
    duration_s: float = 0.0
    """A ferry's crossing time where it is tagged, else 0."""


def country_of(lon: float, lat: float) -> str:
    """The two-letter code whose coarse box holds the point, or "ZZ" for the general European rules."""
    return next((code for code, w, s, e, n in _BOXES if w <= lon <= e and s <= lat <= n), "ZZ")


def way_rule(tags: Tags, network: str, country: str) -> WayRule | None:
    """The rule of a way for "car", "bike" or "foot"; None where it may not be used at all."""
    name = "ferry" if tags.get("route") == "ferry" else tags.get("highway", "")
    speeds = _speeds(network, country)
    access = _access(tags, network)
    if name not in CLASS_INDEX or access == "closed" or tags.get("impassable") == "yes":
        return None
    kmh = _default_kmh(name, tags, network, access, speeds)
    if kmh <= 0:
        return None
    kmh = _limited_kmh(kmh, name, tags, network)
    forward, backward = _directions(name, tags, network)
    if not (forward or backward):
        return None
    lanes = tags.get("lanes", "")
    wide = name in ("motorway", "trunk", "primary") or (lanes.isdigit() and int(lanes) >= 4)
    return WayRule(
        kmh if forward else 0.0,
        kmh if backward else 0.0,
        CLASS_INDEX[name],
        restricted=access == "restricted",
        roundabout=tags.get("junction") in ("roundabout", "circular"),
        kerb_only=network == "car" and wide,
        duration_s=_duration_s(tags.get("duration", "")) if name == "ferry" else 0.0,
    )


def is_closed(tags: Tags, network: str) -> bool:
    """Whether the tags shut the network out."""
    return _access(tags, network) == "closed"


def node_rule(tags: Tags, network: str) -> tuple[bool, float]:
    """(blocked, seconds lost) at a node with these tags, signals left out."""
    barrier, highway, lost = tags.get("barrier", ""), tags.get("highway", ""), 0.0
    if barrier:
        access = _access(tags, network)
        explicit = any(key in tags for key in ACCESS_KEYS[network])
        if access == "closed" or (not explicit and barrier in _BLOCKS[network]):
            return True, 0.0
        lost += _BARRIER_S[network].get(barrier, 0)
        if access == "restricted" and "gate" in barrier:
            lost += PRIVATE_GATE_S
    return False, lost + _SIGN_S[network].get(highway, 0)


def signal_s(tags: Tags, network: str) -> float:
    """Seconds lost at a signal that stands alone; 0 where there is none."""
    highway = tags.get("highway", "")
    if highway == "traffic_signals":
        return _SIGNAL_S[network]
    walked = highway == "crossing" and tags.get("crossing") == "traffic_signals"
    return 0.4 * _SIGNAL_S[network] if walked else 0.0


def restriction_kind(tags: Tags, network: str) -> str | None:
    """ "no" or "only" where this restriction relation binds the network, else None.

    Those that bind at some hours only (restriction:conditional) are read by geo.roads.conditions.
    """
    if network == "foot":
        return None
    exempt = {name.strip() for name in tags.get("except", "").split(";")}
    if (network == "car" and exempt & {"motorcar", "motor_vehicle", "vehicle"}) or (
        network == "bike" and exempt & {"bicycle", "vehicle"}
    ):
        return None
    keys = ("restriction:motorcar", "restriction:motor_vehicle", "restriction:vehicle", "restriction")
    value = next(
        (
            tags[k]
            for k in (keys if network == "car" else ("restriction:bicycle", "restriction"))
            if k in tags
        ),
        "",
    )
    return "no" if value.startswith("no_") else "only" if value.startswith("only_") else None


def turn_costs_ms(network: str) -> tuple[int, int, int, int, int, int]:
    """Milliseconds for (towards the kerb, across the traffic, sharp extra, turning round, at a dead end,
    joining a greater road)."""
    return {
        "car": (3000, 7000, 2500, 40000, 20000, 3000),
        "bike": (1500, 3500, 1000, 10000, 5000, 1500),
        "foot": (0, 0, 0, 0, 0, 0),
    }[network]


@cache
def _speeds(network: str, country: str) -> Mapping[str, float]:
    if network == "car":
        return {**_CAR_KMH, **_CAR_KMH_BY_COUNTRY.get(country, {})}
    return dict(_BIKE_KMH) if network == "bike" else _FOOT_KMH


def _access(tags: Tags, network: str) -> str:
    """ "open", "restricted", "closed" or "explicit" (allowed in so many words), by the most specific key."""
    value, found = "", ""
    for key in ACCESS_KEYS[network]:
        if key in tags:
            value, found = tags[key], key
    if not found:
        return "open"
    words = {word.strip() for word in value.split(";")}
    if words & {"yes", "permissive", "designated", "official", "dismount"}:
        return "explicit" if found not in ("access", "vehicle") else "open"
    if words & _RESTRICTED:
        return "restricted"
    return "closed" if words & CLOSED else "open"


def _default_kmh(name: str, tags: Tags, network: str, access: str, speeds: Mapping[str, float]) -> float:
    if network == "car":
        return _default_car_kmh(name, tags, access, speeds)
    if tags.get("motorroad") == "yes":
        return 0.0
    if name == "ferry":
        return speeds["ferry"]
    if network == "bike" and tags.get("bicycle") == "dismount":
        return 5.0
    shared = network == "bike" and name in ("footway", "pedestrian") and access == "explicit"
    if shared:
        return 12.0
    return float(speeds.get(name, 0.0))


def _default_car_kmh(name: str, tags: Tags, access: str, speeds: Mapping[str, float]) -> float:
    if name == "track" and access == "open" and tags.get("tracktype") != "grade1":
        return 0.0
    if name == "pedestrian":
        return 8.0 if access in ("explicit", "restricted") else 0.0
    if tags.get("service") in ("parking_aisle", "driveway", "drive-through"):
        return 8.0
    return 0.0 if tags.get("service") == "emergency_access" else float(speeds.get(name, 0.0))


def _limited_kmh(kmh: float, name: str, tags: Tags, network: str) -> float:
    if name == "ferry":
        return kmh
    if network == "car":
        limit = _limit_kmh(tags.get("maxspeed", ""))
        if limit:
            kmh = min(max(0.85 * limit, 5.0), kmh * 1.35)
        kmh = min(kmh, _TRACK_CAP.get(tags.get("tracktype", ""), 999))
    return min(kmh, _SURFACE_CAP[network].get(tags.get("surface", ""), 999))


def _limit_kmh(text: str) -> float:
    found = re.match(r"(\d+(?:\.\d+)?)\s*(mph|knots)?", text)
    if found:
        return float(found[1]) * {"mph": 1.609344, "knots": 1.852}.get(found[2] or "", 1.0)
    return {"walk": 7.0, "CN:urban": 50.0, "CN:rural": 70.0}.get(text, 0.0)


def _directions(name: str, tags: Tags, network: str) -> tuple[bool, bool]:
    if network == "foot":
        value = tags.get("oneway:foot", "no")
    else:
        value = tags.get("oneway", "")
        if not value and (
            tags.get("junction") in ("roundabout", "circular") or name in ("motorway", "motorway_link")
        ):
            value = "yes"
        if network == "bike":
            against = any(
                tags.get(k, "").startswith("opposite")
                for k in ("cycleway", "cycleway:left", "cycleway:right")
            )
            value = tags.get("oneway:bicycle", "no" if against else value)
    if value == "reversible":
        return False, False
    forward, backward = value not in ("-1", "reverse"), value not in ("yes", "1", "true")
    for key in ACCESS_KEYS[network]:
        if tags.get(f"{key}:forward"):
            forward = forward and tags[f"{key}:forward"] not in CLOSED
        if tags.get(f"{key}:backward"):
            backward = backward and tags[f"{key}:backward"] not in CLOSED
    return forward, backward


def _duration_s(text: str) -> float:
    """A ferry's duration tag: "35" minutes, "1:20" hours and minutes, "PT45M"; 0 when absent or
    unreadable."""
    if re.fullmatch(r"\d+", text):
        return int(text) * 60.0
    if found := re.fullmatch(r"(\d+):(\d\d)(?::(\d\d))?", text):
        return int(found[1]) * 3600.0 + int(found[2]) * 60 + int(found[3] or 0)
    if (found := re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?", text)) and text != "PT":
        return int(found[1] or 0) * 3600.0 + int(found[2] or 0) * 60
    return 0.0
