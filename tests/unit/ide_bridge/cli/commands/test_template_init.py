"""Starters are copied whole, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_ide_bridge.cli.commands.template_init import copy_starter, find_starters
from genba_ide_bridge.errors import BridgeError
from tests.support.cli_process import run_genba


async def test_the_host_starter_is_written_and_can_be_packed(tmp_path: Path) -> None:
    done = await run_genba("templates", "init", "mine", "--id", "host", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "genba templates push -d mine" in done.out
    assert (tmp_path / "mine" / "main.tf").is_file()
    assert not list((tmp_path / "mine").rglob("__pycache__"))
    again = await run_genba("templates", "init", "mine", "--id", "host", folder=tmp_path)
    assert (again.code, "exists already" in again.err) == (1, True)


async def test_a_starter_has_to_be_named_without_a_terminal(tmp_path: Path) -> None:
    unnamed = await run_genba("templates", "init", folder=tmp_path)
    assert (unnamed.code, "host" in unnamed.err) == (2, True)
    unknown = await run_genba("templates", "init", "--id", "nope", folder=tmp_path)
    assert (unknown.code, 'no starter "nope"' in unknown.err) == (2, True)


def test_nothing_is_written_when_one_file_is_in_the_way(tmp_path: Path) -> None:
    starter = tmp_path / "starter"
    (starter / "sub").mkdir(parents=True)
    (starter / "a.tf").write_text("a")
    (starter / "sub" / "z.sh").write_text("z")
    folder = tmp_path / "out"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "z.sh").write_text("mine")
    with pytest.raises(BridgeError):
        copy_starter(starter, folder)
    assert not (folder / "a.tf").exists()
    assert (folder / "sub" / "z.sh").read_text() == "mine"


def test_an_installation_without_the_gateway_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genba_ide_bridge.cli.commands.template_init.STARTERS", "genba_absent.starters")
    with pytest.raises(BridgeError, match="come with the gateway"):
        find_starters()
