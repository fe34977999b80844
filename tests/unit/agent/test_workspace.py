"""What a workspace finds on disk. Its whole life is tests/integration/test_agent.py."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from genba_agent.log_queue import QueuedLine
from genba_agent.options import parse_options
from genba_agent.workspace import PreparedWorkspace, prepare_workspace
from genba_wire.api.agent_protocol import Manifest
from tests.support.agent_builders import make_manifest
from tests.support.agent_gateway import TOKEN

LINE = QueuedLine("source", datetime(2026, 1, 1, tzinfo=UTC), "info", "unsent")


def prepare(folder: Path, manifest: Manifest) -> PreparedWorkspace:
    environ = {"CODER_AGENT_URL": "http://genba", "CODER_AGENT_TOKEN": TOKEN}
    options = parse_options(["--script-data-dir", str(folder)], environ)
    return prepare_workspace(manifest, options, ["/opt/genba"])


def test_lines_of_a_dead_process_of_the_same_agent_are_found(tmp_path: Path) -> None:
    manifest = make_manifest()
    dead = prepare(tmp_path, manifest)
    dead.spool.append(LINE)
    dead.spool.close()
    heir = prepare(tmp_path, manifest)
    (earlier,) = heir.earlier_spools
    batch = earlier.form_batch()
    assert batch is not None
    assert batch.lines == (LINE,)
    assert heir.spool.boot_id != earlier.boot_id
    earlier.discard()
    heir.spool.discard()


def test_lines_of_an_earlier_build_are_removed(tmp_path: Path) -> None:
    dead = prepare(tmp_path, make_manifest())
    dead.spool.append(LINE)
    dead.spool.close()
    heir = prepare(tmp_path, make_manifest())
    assert heir.earlier_spools == []
    assert not dead.spool.path.exists()
    heir.spool.discard()
