"""Does a changed OpenAPI still serve the clients of the old one?

One question answers both directions: may everything that is *sent* be *read*? In a request the old
client sends and the new server reads, in a response the new server sends and the old client reads. So
requests may only widen, responses may only narrow; new optional things are safe on both sides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Way = Literal["request", "response"]

METHODS = ("get", "put", "post", "patch", "delete", "head", "options")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """One reason why an old client may fail: a code, where, and what changed."""

    code: str
    place: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.place}" + (f" ({self.detail})" if self.detail else "")


def breaks(old: Json, new: Json) -> list[Break]:
    """Every breaking change from one OpenAPI 3.1 document to another, sorted; none means old clients survive."""
    found: set[Break] = set()
    for path, item in old["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            place = f"{method.upper()} {path}"
            there = new["paths"].get(path, {}).get(method)
            if there is None:
                found.add(Break("operation_removed", place))
            else:
                found.update(_operation(item[method], there, place, old, new))
    return sorted(found)


def _operation(was: Json, now: Json, place: str, old: Json, new: Json) -> Iterator[Break]:
    yield from _parameters(was, now, place, old, new)
    asked, asks = _followed(was.get("requestBody", {}), old), _followed(now.get("requestBody", {}), new)
    if asks.get("required") and not asked.get("required"):
        yield Break("body_required", place)
    requests = _Reading("request", old, new)
    for media, content in asked.get("content", {}).items():
        if media not in asks.get("content", {}):
            yield Break("request_media_removed", place, media)
            continue
        there = asks["content"][media]
        yield from requests.misfits(content.get("schema", {}), there.get("schema", {}), f"{place} body")
    yield from _replies(was["responses"], now["responses"], place, old, new)


def _parameters(was: Json, now: Json, place: str, old: Json, new: Json) -> Iterator[Break]:
    def named(operation: Json, document: Json) -> dict[tuple[str, str], Json]:
        every = [_followed(one, document) for one in operation.get("parameters", [])]
        return {(one["in"], one["name"]): one for one in every}

    before, after = named(was, old), named(now, new)
    requests = _Reading("request", old, new)
    for key in before.keys() - after.keys():
        yield Break("parameter_removed", place, key[1])
    for key, parameter in after.items():
        known = before.get(key)
        if parameter.get("required") and not (known and known.get("required")):
            yield Break("parameter_required", place, key[1])
        if known:
            where = f"{place} {key[1]}"
            yield from requests.misfits(known.get("schema", {}), parameter.get("schema", {}), where)


def _replies(was: Json, now: Json, place: str, old: Json, new: Json) -> Iterator[Break]:
    """A refusal may come or go; a success may not come as another status than before."""
    for status in {s for s in now if s.startswith("2")} - was.keys():
        yield Break("success_added", place, status)
    responses = _Reading("response", new, old)
    for status, reply in was.items():
        if status not in now:
            if status.startswith("2"):
                yield Break("success_removed", place, status)
            continue
        before = _followed(reply, old).get("content", {})
        after = _followed(now[status], new).get("content", {})
        for media, content in before.items():
            where = f"{place} {status}"
            if media not in after:
                yield Break("response_media_removed", where, media)
                continue
            sent = after[media].get("schema", {})
            yield from responses.misfits(sent, content.get("schema", {}), where)


class _Reading:
    """Schemas of one side's document read by the other side's."""

    def __init__(self, way: Way, sender: Json, reader: Json) -> None:
        self._way = way
        self._sender = sender
        self._reader = reader
        self._open: set[tuple[str, str]] = set()

    def misfits(self, sent: Json, read: Json, place: str) -> list[Break]:
        """Why something valid by `sent` may not be understood by `read`; empty when all of it may."""
        pair = (str(sent.get("$ref", "")), str(read.get("$ref", "")))
        if all(pair):
            if pair in self._open:
                return []
            self._open.add(pair)
        found: list[Break] = []
        readings = list(_branches(read, self._reader))
        for branch in _branches(sent, self._sender):
            found += self._branch(branch, readings, place)
        self._open.discard(pair)
        return found

    def _branch(self, sent: Json, readings: list[Json], place: str) -> list[Break]:
        """One branch of a union must fit one branch of the reader's; the nearest miss says why it does not."""
        alike = [read for read in readings if _type_fits(sent, read)]
        if not alike:
            kinds = sorted({str(read.get("type")) for read in readings})
            return [
                self._break("type", place, f"{sent.get('type', 'anything')} read as {' or '.join(kinds)}")
            ]
        tries = [self._plain(sent, read, place) for read in alike]
        return min(tries, key=len)

    def _plain(self, sent: Json, read: Json, place: str) -> list[Break]:
        found = [self._break(code, place, detail) for code, detail in self._values(sent, read)]
        found += self._fields(sent, read, place)
        for part, name in (("items", "[]"), ("additionalProperties", "{}")):
            inner, outer = sent.get(part), read.get(part)
            if isinstance(inner, dict) and isinstance(outer, dict):
                found += self.misfits(inner, outer, place + name)
        return found

    def _values(self, sent: Json, read: Json) -> Iterator[tuple[str, str]]:
        """Enumerations and formats both ways; bounds where a server checks them, in requests."""
        choices, known = _choices(sent), _choices(read)
        if known is not None and (choices is None or choices - known):
            yield "enum", ", ".join(sorted(choices - known)) if choices else "any value"
        if read.get("format") and sent.get("format") != read["format"]:
            yield "format", f"{sent.get('format', 'none')} read as {read['format']}"
        if self._way == "response":
            return
        if read.get("pattern") and sent.get("pattern") != read["pattern"] and choices is None:
            yield "pattern", str(read["pattern"])
        for bound in (*LOWER, *UPPER):
            limit, before = read.get(bound), sent.get(bound)
            tighter = limit is not None and (
                before is None or (limit > before if bound in LOWER else limit < before)
            )
            if tighter and choices is None:
                yield "bound", f"{bound} {limit}"

    def _fields(self, sent: Json, read: Json, place: str) -> list[Break]:
        mine, theirs = sent.get("properties", {}), read.get("properties", {})
        always, needed = set(sent.get("required", [])), set(read.get("required", []))
        found = [self._break("field_required", f"{place}.{name}") for name in needed - always]
        if self._way == "request" and read.get("additionalProperties") is False:
            found += [self._break("field_refused", f"{place}.{name}") for name in mine.keys() - theirs.keys()]
        if self._way == "response":
            gone = theirs.keys() - mine.keys() - needed
            found += [self._break("field_removed", f"{place}.{name}") for name in gone]
        for name in mine.keys() & theirs.keys():
            found += self.misfits(mine[name], theirs[name], f"{place}.{name}")
        return found

    def _break(self, code: str, place: str, detail: str = "") -> Break:
        return Break(f"{self._way}_{code}", place, detail)


def _followed(schema: Json, document: Json) -> Json:
    """What a $ref points to. Raises KeyError for one that points nowhere."""
    while "$ref" in schema:
        target: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _branches(schema: Json, document: Json) -> Iterator[Json]:
    """The members of a union, else the schema itself; a list of types is a union too."""
    plain = _followed(schema, document)
    members = plain.get("anyOf") or plain.get("oneOf")
    if members:
        for member in members:
            yield from _branches(member, document)
    elif isinstance(plain.get("type"), list):
        yield from ({**plain, "type": kind} for kind in plain["type"])
    else:
        yield plain


def _type_fits(sent: Json, read: Json) -> bool:
    kind, known = sent.get("type"), read.get("type")
    return known is None or kind == known or (kind, known) == ("integer", "number")


def _choices(schema: Json) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None
