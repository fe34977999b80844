"""Links for the desktop."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from genba_ide_bridge.cli.opener import open_link

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="xdg-open is Linux's")


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an xdg-open that writes down what it is given."""
    program = tmp_path / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > "{tmp_path}/opened"\ncase "$1" in bad*) exit 3 ;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":9")
    return tmp_path


def test_the_desktops_program_gets_the_link(desktop: Path) -> None:
    assert open_link("vscode://x?a=b&c=%20")
    assert (desktop / "opened").read_text() == "vscode://x?a=b&c=%20"


def test_a_program_that_fails_did_not_take_it(desktop: Path) -> None:
    assert not open_link("bad://x")
    (desktop / "xdg-open").write_text("no program")
    assert not open_link("vscode://x")


def test_without_a_screen_or_a_program_nothing_is_opened(desktop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY")
    assert not open_link("vscode://x")
    assert not (desktop / "opened").exists()
    monkeypatch.setenv("DISPLAY", ":9")
    (desktop / "xdg-open").unlink()
    assert not open_link("vscode://x")
