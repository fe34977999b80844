"""From rows to dataclasses, by the names of the fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import sqlalchemy as sa

RecordT = TypeVar("RecordT")
Row = Mapping[Any, Any]
"""A row by column names; RowMapping is one, keyed by more than text."""


def columns_of(table: sa.Table, prefix: str = "", *, without: frozenset[str] = frozenset()) -> list[sa.Label[Any]]:
    """All columns of a table, labelled with a prefix so that joins don't collide."""
    return [column.label(prefix + column.name) for column in table.c if column.name not in without]


def read_record(record_type: type[RecordT], row: Row, prefix: str = "", **given: Any) -> RecordT:
    """Build a dataclass from the columns of its fields' names; `given` fills the fields that have no column."""
    values = {
        name: row[prefix + name] for name in _field_names(record_type) if name not in given and prefix + name in row
    }
    return record_type(**values, **given)


_FIELD_NAMES: dict[type[object], tuple[str, ...]] = {}


def _field_names(record_type: type[Any]) -> tuple[str, ...]:
    names = _FIELD_NAMES.get(record_type)
    if names is None:
        names = _FIELD_NAMES[record_type] = tuple(each.name for each in fields(record_type))
    return names
