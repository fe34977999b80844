"""A copied clone whose `genba` is a fake one."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support import fake_genba

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copied clone whose `genba` is the fake."""
    root = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    # Assembling the executable is the matter of tests/e2e/test_executable.py; here it can't be made.
    (root / "scripts" / "build_agent.py").write_text("def prepare_executable():\n    return None\n")
    starter = root / "gateway" / "genba_gateway" / "starters" / "host"
    starter.mkdir(parents=True)
    (starter / "main.tf").write_text("# a template")
    program = root / ".genba" / "bin" / "genba"
    program.parent.mkdir(parents=True)
    wire = os.pathsep.join([str(ROOT / "wire"), str(ROOT)])
    program.write_text(f'#!/bin/sh\nPYTHONPATH={wire} exec {sys.executable} {fake_genba.__file__} "$@"\n')
    program.chmod(0o755)
    return root


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT / "wire"), **more}
