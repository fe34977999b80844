"""Which local ends the event loop waits for, and which a thread reads or writes."""

from __future__ import annotations

import os
import pty
import socket
from pathlib import Path

from genba_ide_bridge.sessions.local_bytes import can_poll


def test_pipes_and_sockets_are_polled_and_nothing_else_is(tmp_path: Path) -> None:
    pipe, sockets, terminal = os.pipe(), socket.socketpair(), pty.openpty()
    file = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    null = os.open(os.devnull, os.O_RDWR)
    try:
        assert all(can_poll(end) for end in (*pipe, sockets[0].fileno(), sockets[1].fileno()))
        # A terminal's blocking mode belongs to the shell that started us.
        assert not any(can_poll(end) for end in (file, null, *terminal))
    finally:
        for end in (*pipe, *terminal, file, null):
            os.close(end)
        for one in sockets:
            one.close()
