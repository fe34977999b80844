"""Write a migration: what changed in store/tables since the last one.

    python -m scripts.make_migration "add a column to workspaces"
    python -m scripts.make_migration --first     # before the first release only: 0001 again, from nothing

The result is a draft: read it, and add what moves rows.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext

from genba_gateway.store import schema
from genba_gateway.store.tables import metadata

FIRST_NAME = "first tables"


def make_migration(message: str, *, first: bool) -> Path:
    """Write the file and return it."""
    versions = schema.MIGRATIONS / "versions"
    if first:
        for file in versions.glob("0001_*.py"):
            file.unlink()
    number = f"{len(schema.known_revisions()) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/empty.db")
        config = Config()
        config.set_main_option("script_location", str(schema.MIGRATIONS).replace("%", "%%"))
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            if number != "0001":
                command.upgrade(config, "head")
            command.revision(
                config, message, autogenerate=True, rev_id=number, process_revision_directives=_add_expression_indexes
            )
        engine.dispose()
    (written,) = versions.glob(f"{number}_*.py")
    text = re.sub(r"\n    # #+ .*", "", written.read_text())
    written.write_text(text)
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", written], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "check", "--fix", "-q", written], check=True)
    return written


def _add_expression_indexes(_context: MigrationContext, _revision: object, scripts: list[ops.MigrationScript]) -> None:
    """Alembic leaves out indexes on expressions, such as lower(name): add those of new tables."""
    upgrade = scripts[0].upgrade_ops
    if upgrade is None:
        return
    for table_name in [each.table_name for each in upgrade.ops if isinstance(each, ops.CreateTableOp)]:
        for index in sorted(metadata.tables[table_name].indexes, key=lambda each: str(each.name)):
            if not all(isinstance(each, sa.Column) for each in index.expressions):
                upgrade.ops.append(ops.CreateIndexOp.from_index(index))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("message", nargs="?", default=FIRST_NAME)
    parser.add_argument("--first", action="store_true")
    arguments = parser.parse_args()
    print(make_migration(FIRST_NAME if arguments.first else arguments.message, first=arguments.first))
