"""What all tables share: their metadata, and how columns of the usual kinds are declared."""

from __future__ import annotations

import sqlalchemy as sa

from genba_gateway.store.columns import UtcTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = sa.MetaData(naming_convention=NAMING)

Id = sa.String(36)
NOT_DELETED = sa.text("deleted = 0")


def make_id() -> sa.Column[str]:
    """The primary key of a table whose rows have an id."""
    return sa.Column("id", Id, primary_key=True)


def make_ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> sa.Column[str]:
    """The id of a row of another table."""
    return sa.Column(name, Id, sa.ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def make_time(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[object]:
    """A point in time, UTC."""
    return sa.Column(name, UtcTime, nullable=nullable, index=index)


def make_text(name: str, *, default: str = "") -> sa.Column[str]:
    """Text that is always there, and may be empty."""
    return sa.Column(name, sa.Text, nullable=False, default=default)


def make_flag(name: str, *, default: bool = False) -> sa.Column[bool]:
    """Yes or no."""
    return sa.Column(name, sa.Boolean, nullable=False, default=default)
