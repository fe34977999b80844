"""`make smoke` against a small gateway of our own: what it counts, and that it cleans up after a failure too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from scripts.leftovers import find_processes
from tests.integration.scripts.conftest import environment


def smoke(clone: Path, **more: str) -> tuple[int, dict[str, Any], str]:
    """Return exit code, the one line of JSON, and what was said."""
    argv = [sys.executable, "-m", "scripts.smoke"]
    run = subprocess.run(
        argv, cwd=clone, env=environment(**more), capture_output=True, text=True, timeout=90, check=False
    )
    assert run.stdout.count("\n") == 1, run.stdout
    return run.returncode, json.loads(run.stdout), run.stderr


def folder_of(said: str) -> Path:
    return Path(next(word for word in said.split() if word.startswith("/tmp/genba-smoke-")))


def test_whole_pass_reports_each_step_and_leaves_nothing(clone: Path) -> None:
    code, outcome, said = smoke(clone)
    assert code == 0, said
    steps = ["server_ready_s", "template_imported_s", "agent_ready_s", "terminal_echo_s"]
    assert [outcome[step] for step in steps] == sorted(outcome[step] for step in steps)
    assert outcome["build_done_s"] is not None
    assert outcome["agent_connected_s"] is not None
    rest = {key: outcome[key] for key in ("log_lines", "deleted", "processes_left", "files_left", "ok")}
    assert rest == {"log_lines": 1, "deleted": True, "processes_left": 0, "files_left": 0, "ok": True}
    assert not folder_of(said).exists()
    assert find_processes([str(folder_of(said))]) == {}


def test_process_that_outlives_its_workspace_is_counted_named_and_ended(clone: Path) -> None:
    code, outcome, said = smoke(clone, FAKE_LEAK="1")
    assert code == 1
    assert outcome["processes_left"] >= 1
    assert outcome["ok"] is False
    assert "LEFT process: " in said
    assert "sleep 600" in said
    assert find_processes([str(folder_of(said))]) == {}


def test_gateway_that_ends_at_once_gives_its_sentence_and_null_figures(clone: Path) -> None:
    program = clone / ".genba" / "bin" / "genba"
    program.write_text("#!/bin/sh\necho 'No terraform on PATH: put one there' >&2\nexit 1\n")
    code, outcome, said = smoke(clone)
    assert code == 1
    assert outcome["server_ready_s"] is None
    assert "FAILED: No terraform on PATH: put one there" in said
    assert not folder_of(said).exists()


def test_failure_that_nobody_foresaw_still_ends_with_the_line(clone: Path) -> None:
    (clone / ".genba" / "bin" / "genba").unlink()
    code, outcome, said = smoke(clone)
    assert (code, outcome["ok"], outcome["server_ready_s"]) == (1, False, None)
    assert "FileNotFoundError" in said
    assert not folder_of(said).exists()


def test_step_that_fails_ends_the_gateway_too(clone: Path) -> None:
    program = clone / ".genba" / "bin" / "genba"
    refusing = '#!/bin/sh\nif [ "$2" = push ]; then echo "that template is not to be had"; exit 3; fi\n'
    program.write_text(program.read_text().replace("#!/bin/sh\n", refusing))
    code, outcome, said = smoke(clone)
    assert code == 1
    assert outcome["server_ready_s"] is not None
    assert outcome["template_imported_s"] is None
    assert "failed: that template is not to be had" in said
    assert find_processes([str(folder_of(said))]) == {}
