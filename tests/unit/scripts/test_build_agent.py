"""Where the executable can't be assembled, a gateway goes without and says why."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from scripts.build_agent import prepare_executable


def test_without_apt_agents_run_from_the_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENBA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert prepare_executable() is None
    said = "".join(capsys.readouterr())
    assert "agents run from this clone's environment" in said
    assert "apt-get is not here: run it on Debian or Ubuntu" in said


def test_machine_of_an_unknown_kind_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert prepare_executable() is None
    assert "No executable is made for riscv64: only for amd64, arm64." in "".join(capsys.readouterr())
