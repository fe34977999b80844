"""What the real ssh says of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.ssh_check import NoSsh, ask_ssh


def test_ssh_tells_what_it_would_use(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host a\n  Port 2200\n")
    assert ask_ssh(config, "a")["port"] == "2200"
    assert ask_ssh(config, "b")["port"] == "22"


def test_what_ssh_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Nonsense yes\n")
    with pytest.raises(BridgeError, match="line 1: Bad configuration option: nonsense"):
        ask_ssh(config, "a")


def test_a_machine_without_ssh_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSsh):
        ask_ssh(tmp_path / "config", "a")
