"""Mapped objects read and written by plain statements, so that they travel in `exchange`'s trips.

SQLAlchemy's session knows them all the same: what an action changes is seen, and a flush would write it. At a
step's end, when nobody reads on, `changes` gives what a flush would do as statements for the last trips.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

from geoalchemy2 import Geography
from geoalchemy2.elements import WKBElement
from sqlalchemy import ARRAY, JSON, inspect
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlalchemy.sql import ClauseElement

from dispatch.store.exchange import Question
from dispatch.store.tables.base import Base

Row = TypeVar("Row", bound=Base)


class Shape(Generic[Row]):
    """The columns of one table as a statement names them, and the object in a row of its answer."""

    def __init__(self, kind: type[Row], alias: str) -> None:
        """`alias` is the table's in the statement; its columns come back as `alias_column`."""
        columns = inspect(kind).local_table.columns
        self.kind = kind
        self.sql = ", ".join(f"{alias}.{column.name} as {alias}_{column.name}" for column in columns)
        self._named = [(column.name, f"{alias}_{column.name}") for column in columns]
        self._key = [f"{alias}_{column.name}" for column in columns if column.primary_key]
        self._places = [column.name for column in columns if isinstance(column.type, Geography)]

    def adopt(self, db: Session, row: Mapping[str, Any]) -> Row:
        """The session's object of this row, as the row says even where the session had it before. The caller
        holds it: the session forgets what nobody holds."""
        key = tuple(row[name] for name in self._key)
        values = {name: row[named] for name, named in self._named}
        for place in self._places:
            if values[place] is not None:
                values[place] = WKBElement(values[place], srid=4326, extended=True)
        known: Row | None = db.identity_map.get(identity_key(self.kind, key))
        if known is not None:
            for name, value in values.items():
                set_committed_value(known, name, value)
            return known
        made = self.kind()
        made.__dict__.update(values)
        make_transient_to_detached(made)
        db.add(made)
        return made


def changes(db: Session) -> list[Question]:
    """What the session would flush, as statements; those that change a row give one row back.

    The session forgets its objects: nobody reads them any more. Where it holds something that only SQLAlchemy
    can write (a place, JSON, an array, an expression, a deletion, a default of the database) it is flushed instead.
    """
    if db.deleted:
        db.flush()
        return []
    asked: list[tuple[tuple[int, bool, str], Question]] = []
    for each in [*db.dirty, *db.new]:
        state = instance_state(each)
        table, now = Base.metadata.tables[each.__tablename__], state.dict
        is_new = state.key is None
        special, given, keys = _of_table(table.name)
        names = tuple(
            name
            for name in (table.columns.keys() if is_new else state.committed_state)
            if name in now and (is_new or now[name] != state.committed_state[name])
        )
        if not names:
            continue
        strange = any(name in special or isinstance(now[name], ClauseElement) for name in names)
        if strange or (is_new and not given <= now.keys()):
            db.flush()
            return []
        values = {name: _plain(now[name]) for name in (*names, *keys)}
        sql = _insert(table.name, names) if is_new else _update(table.name, names, keys)
        order = (_order(len(Base.metadata.tables))[table.name], is_new, str([values[k] for k in keys]))
        asked.append((order, (sql, values)))
    db.expunge_all()
    return [question for _, question in sorted(asked, key=lambda one: one[0])]


def _plain(value: Any) -> Any:
    """Without the class of an enumeration, which the driver would write by its name."""
    return str(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _of_table(name: str) -> tuple[frozenset[str], frozenset[str], tuple[str, ...]]:
    """The columns only SQLAlchemy can write, those the database fills in (a flush reads them back), the key's."""
    columns = Base.metadata.tables[name].columns
    special = (column.name for column in columns if isinstance(column.type, Geography | JSON | ARRAY))
    given = (column.name for column in columns if column.server_default is not None)
    keys = (column.name for column in columns if column.primary_key)
    return frozenset(special), frozenset(given), tuple(keys)


@lru_cache(maxsize=4)
def _order(count: int) -> dict[str, int]:
    """Those referred to before those who refer."""
    return {table.name: place for place, table in enumerate(Base.metadata.sorted_tables)}


@lru_cache(maxsize=1024)
def _insert(table: str, names: tuple[str, ...]) -> str:
    return f"insert into {table} ({', '.join(names)}) values ({', '.join(f'%({n})s' for n in names)})"


@lru_cache(maxsize=1024)
def _update(table: str, names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    changed = ", ".join(f"{name} = %({name})s" for name in names)
    return f"update {table} set {changed} where {' and '.join(f'{k} = %({k})s' for k in keys)} returning true as done"
