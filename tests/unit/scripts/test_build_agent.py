"""Where the executable can't be assembled, a gateway goes without and says why."""

from __future__ import annotations

import errno
import os
import platform
from pathlib import Path

import pytest

from scripts import build_agent
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


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENBA_CACHE", str(tmp_path / "file" / "cache"))
    assert prepare_executable() is None
    said = "".join(capsys.readouterr())
    assert "agents run from this clone's environment" in said
    assert "GENBA_CACHE names another folder" in said


def test_a_full_disk_is_a_sentence_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENBA_CACHE", str(tmp_path))

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "somewhere")

    monkeypatch.setattr(build_agent, "make_base", fail)
    assert prepare_executable() is None
    assert "somewhere: No space left on device" in "".join(capsys.readouterr())


def test_machine_of_an_unknown_kind_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert prepare_executable() is None
    assert "No executable is made for riscv64: only for amd64, arm64." in "".join(capsys.readouterr())
