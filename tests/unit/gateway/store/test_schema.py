"""Migrations make exactly the declared tables, on new files and old ones."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from genba_gateway.errors import ConfigError
from genba_gateway.store import schema
from genba_gateway.store.tables import metadata


def _upgrade(path: Path) -> None:
    asyncio.run(schema.upgrade_database(path))


def _indexes_and_constraints(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    return {f"{kind} {name}" if kind == "table" else " ".join(sql.split()) for kind, name, sql in rows} - {
        "table alembic_version"
    }


# Alembic can't compare indexes on expressions; the comparison of SQLite's own catalogue below does.
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_migrations_make_the_declared_tables(tmp_path: Path) -> None:
    path = tmp_path / "genba.db"
    _upgrade(path)
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    declared = tmp_path / "declared.db"
    engine = sa.create_engine(f"sqlite:///{declared}")
    metadata.create_all(engine)
    engine.dispose()
    assert _indexes_and_constraints(path) == _indexes_and_constraints(declared)


def test_a_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "genba.db"
    _upgrade(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_current_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "genba.db"
    _upgrade(path)
    before = path.read_bytes()
    _upgrade(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["genba.db"]


def test_a_start_with_a_current_file_does_not_import_alembic(tmp_path: Path) -> None:
    path = tmp_path / "genba.db"
    program = (
        "import asyncio, sys; from pathlib import Path; from genba_gateway.store.schema import upgrade_database\n"
        "asyncio.run(upgrade_database(Path(sys.argv[1]))); print('alembic' in sys.modules)"
    )
    outputs = [
        subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, text=True).stdout.strip()
        for _ in range(2)
    ]
    assert outputs == ["True", "False"]


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "genba.db"
    _upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="newer version"):
        _upgrade(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    with pytest.raises(ConfigError, match="another program"):
        _upgrade(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genba.db"
    path.write_bytes(b"certainly not SQLite" * 100)
    with pytest.raises(ConfigError, match="can't be read"):
        _upgrade(path)


@pytest.fixture
def two_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real first migration and one more, which fails after its first statement while a file says so."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    for file in (schema.MIGRATIONS / "env.py", *(schema.MIGRATIONS / "versions").glob("0001_*.py")):
        (folder / file.relative_to(schema.MIGRATIONS)).write_text(file.read_text())
    (folder / "versions" / "0002_more.py").write_text(
        "from pathlib import Path\n"
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        "revision, down_revision, branch_labels, depends_on = '0002', '0001', None, None\n"
        "def upgrade():\n"
        "    op.create_table('more', sa.Column('id', sa.Integer(), primary_key=True))\n"
        f"    if Path({str(tmp_path / 'fail')!r}).exists():\n"
        "        raise RuntimeError('half-way')\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", folder)
    return tmp_path / "fail"


def test_an_old_file_is_copied_then_upgraded_with_its_rows(tmp_path: Path, two_migrations: Path) -> None:
    path = tmp_path / "genba.db"
    _make_at_first_revision(path, two_migrations)
    _upgrade(path)
    assert "table more" in _indexes_and_constraints(path)
    (copy,) = tmp_path.glob("genba.db.before-0002-*")
    assert "table more" not in _indexes_and_constraints(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    for file in (path, copy):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT value FROM settings WHERE key = 'kept'").fetchone() == ("yes",)


def test_a_migration_that_fails_half_way_leaves_nothing(tmp_path: Path, two_migrations: Path) -> None:
    path = tmp_path / "genba.db"
    _make_at_first_revision(path, two_migrations)
    two_migrations.touch()
    with pytest.raises(RuntimeError, match="half-way"):
        _upgrade(path)
    assert "table more" not in _indexes_and_constraints(path)
    two_migrations.unlink()
    _upgrade(path)
    assert "table more" in _indexes_and_constraints(path)


def _make_at_first_revision(path: Path, folder_mark: Path) -> None:
    second = folder_mark.parent / "migrations" / "versions" / "0002_more.py"
    hidden = second.with_name("hidden")
    second.rename(hidden)
    _upgrade(path)
    hidden.rename(second)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO settings VALUES ('kept', 'yes')")
        connection.commit()


def test_shares_of_ports_and_usage_of_apps_begin_empty_beside_rows_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "genba.db"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", _copy_migrations(tmp_path / "older", until="0003"))
        _upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO settings VALUES ('kept', 'yes')")
        connection.commit()
    _upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT value FROM settings WHERE key = 'kept'").fetchone() == ("yes",)
        for table in ("workspace_agent_port_shares", "workspace_app_stats"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_workspaces_from_before_have_no_time_to_start_and_are_no_favorites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "genba.db"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "known_revisions", lambda: ["0001", "0002", "0003"])
        _upgrade(path)
    _insert_row(path, "workspaces")
    _upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT name, next_start_at, favorite FROM workspaces").fetchone()
    assert row == ("kept", None, 0)


def test_ports_of_templates_from_before_may_be_shared_with_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "genba.db"
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", _copy_migrations(tmp_path / "older", until="0005"))
        _upgrade(path)
    _insert_row(path, "templates")
    _upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name, max_port_share_level FROM templates").fetchone() == ("kept", "public")


def _copy_migrations(folder: Path, *, until: str) -> Path:
    (folder / "versions").mkdir(parents=True)
    files = [each for each in (schema.MIGRATIONS / "versions").glob("0*.py") if each.name[:4] <= until]
    for file in (schema.MIGRATIONS / "env.py", *files):
        (folder / file.relative_to(schema.MIGRATIONS)).write_text(file.read_text())
    return folder


def _insert_row(path: Path, table: str) -> None:
    """A row with the same text in all columns that the table has at the moment."""
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", ["kept"] * len(columns))
        connection.commit()
