"""Creates the database's tables and upgrades them, by the migrations in `store/migrations/versions/`.

What is stored is compared with what there is through plain sqlite3 first: Alembic takes a quarter of a second to
import, and most starts find nothing to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from genba_gateway.errors import ConfigError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_REVISION_CHARS: Final = 4
log = logging.getLogger(__name__)


async def upgrade_database(path: Path) -> None:
    """Bring the SQLite file at `path` to this version's schema, making it if there is none.

    A file that has to be upgraded is copied beside itself first, as `<name>.before-<revision>-<time>`.

    Raises:
        ConfigError: the file belongs to a newer version or to another program; the message says what to do.
    """
    await asyncio.to_thread(_upgrade, path)


def known_revisions() -> list[str]:
    """The revisions of this version, oldest first."""
    return sorted(file.name[:_REVISION_CHARS] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _upgrade(path: Path) -> None:
    revisions = known_revisions()
    stored = _stored_revision(path)
    if stored == revisions[-1]:
        return
    if stored is not None and stored not in revisions:
        raise ConfigError(
            f"{path} was written by a newer version of Genba (schema {stored}, this version knows up to "
            f"{revisions[-1]}): install that version, or restore the copy that was made before the upgrade."
        )
    if stored is None:
        _create_private(path)
    else:
        copy = _copy(path, stored, revisions[-1])
        log.info("upgrading the database from schema %s to %s; a copy is kept in %s", stored, revisions[-1], copy)
    _run_migrations(path, revisions[-1])


def _stored_revision(path: Path) -> str | None:
    """The revision of a file; None for one that is absent or empty."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                return None
            if "alembic_version" in tables:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                if row is not None:
                    return str(row[0])
            if tables == {"alembic_version"}:
                return None
    except sqlite3.DatabaseError as error:
        raise ConfigError(f"{path} can't be read as an SQLite database ({error}): restore it from a copy.") from error
    raise ConfigError(f"{path} is a database of another program: choose another file with --database-url.")


def _create_private(path: Path) -> None:
    """The file holds password hashes: nobody but its owner may read it, whatever the umask."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _copy(path: Path, stored: str, target: str) -> Path:
    time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    copy = path.with_name(f"{path.name}.before-{target}-{time}")
    _create_private(copy)
    with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(copy)) as target_file:
        source.backup(target_file)
    return copy


def _run_migrations(path: Path, revision: str) -> None:
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import event

    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    event.listen(engine, "connect", _leave_transactions_to_us)
    event.listen(engine, "begin", _begin)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 would commit before each CREATE TABLE, and a migration would not be one transaction.
    connection.isolation_level = None


def _begin(connection: object) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]  # a Connection; sqlalchemy is imported late
