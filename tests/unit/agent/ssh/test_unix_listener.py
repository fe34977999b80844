"""Sockets that are their user's alone; `ssh -R` on one: tests/integration/ssh/test_forwarding.py."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from genba_agent.ssh.unix_listener import bind_private


@pytest.mark.skipif(sys.platform != "linux", reason="the agent runs on Linux")
def test_a_socket_is_private_when_it_appears(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever the process's mask is, and without a mode that is set later.
    def refuse(*_: object) -> None:
        raise AssertionError("there was a moment with another mode")

    monkeypatch.setattr(os, "chmod", refuse)
    before = os.umask(0)
    try:
        with bind_private(str(short_dir / "s")):
            assert stat.S_IMODE((short_dir / "s").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_socket_that_was_left_behind_gives_way(short_dir: Path) -> None:
    path = short_dir / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with bind_private(str(path)) as bound:
        bound.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_file_does_not_give_way(short_dir: Path) -> None:
    (short_dir / "s").write_text("mine")
    with pytest.raises(OSError, match="in use"):
        bind_private(str(short_dir / "s"))
    assert (short_dir / "s").read_text() == "mine"
