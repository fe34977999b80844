"""How the program is started again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from genba_ide_bridge.cli.own_command import own_command


def make_program(folder: Path, name: str = "genba") -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_an_assembled_executable_names_itself() -> None:
    assert own_command({"GENBA_EXECUTABLE": "/opt/genba"}, "whatever") == ["/opt/genba"]


def test_a_program_is_found_by_its_path_and_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert own_command({}, program) == [program]
    assert own_command({}, os.path.join(".", "genba")) == [program]
    assert own_command({}, "genba") == [program]


def test_else_the_interpreter_runs_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    module = [sys.executable, "-P", "-m", "genba_ide_bridge"]
    assert own_command({}, make_program(tmp_path, "main.py")) == module
    assert own_command({}, "genba") == module
