"""The version string is the same everywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from genba_wire.version import API_LEVEL, GENBA_VERSION, VERSION, VERSION_LINE

ROOT = Path(__file__).parents[3]


def test_our_part_of_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == GENBA_VERSION
    assert f"v{API_LEVEL}+genba.{project['version']}" == VERSION


def test_editors_can_parse_the_version() -> None:
    assert re.fullmatch(r"v\d+\.\d+\.\d+\+[0-9A-Za-z.-]+", VERSION)
    assert VERSION_LINE.split()[:2] == ["Coder", VERSION]
