"""Raw mode, size and signals of the terminal in front of the user."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios

import pytest

from genba_ide_bridge.cli.local_terminal import ScreenMemory, raw_mode, require_posix, screen_size, signals
from genba_ide_bridge.errors import BridgeError


def test_the_terminal_is_as_it_was_after_an_error() -> None:
    master, slave = os.openpty()
    try:
        before = termios.tcgetattr(slave)
        with pytest.raises(ZeroDivisionError), raw_mode(slave):
            during = termios.tcgetattr(slave)
            assert not during[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
            raise ZeroDivisionError
        assert termios.tcgetattr(slave) == before
    finally:
        os.close(slave)
        os.close(master)


def test_what_is_no_terminal_is_left_alone() -> None:
    reader, writer = os.pipe()
    with raw_mode(reader):
        assert not os.isatty(reader)
    os.close(reader)
    os.close(writer)


async def test_signals_are_heard_within_the_block_only() -> None:
    heard: list[str] = []
    changed = asyncio.Event()

    def hear(name: str) -> None:
        heard.append(name)
        changed.set()

    with signals(lambda: hear("size"), lambda: hear("back"), lambda number: hear(f"end {number}")):
        for number in (signal.SIGWINCH, signal.SIGCONT, signal.SIGHUP, signal.SIGTERM):
            changed.clear()
            os.kill(os.getpid(), number)
            async with asyncio.timeout(30):
                await changed.wait()
    assert heard == ["size", "back", f"end {int(signal.SIGHUP)}", f"end {int(signal.SIGTERM)}"]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_the_size_is_never_nothing() -> None:
    height, width = screen_size()
    assert height > 0
    assert width > 0


def test_windows_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "termios", None)
    with pytest.raises(BridgeError) as refused:
        require_posix()
    assert "WSL" in refused.value.hint


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([b"$ vi x\r\n", b"\x1b[?1049h~\r\n"], True),
        ([b"\x1b[?1049h", b"text", b"\x1b[?1049l$ "], False),
        ([b"\x1b[?1049h \x1b[?1049l \x1b[?1049h"], True),
        ([b"plain"], False),
    ],
)
def test_the_other_screen_is_remembered_and_left_in_the_farewell(pieces: list[bytes], expected: bool) -> None:
    memory = ScreenMemory()
    for piece in pieces:
        memory.see(memoryview(piece))
    assert memory.is_other_screen is expected
    assert ("\x1b[?1049l" in memory.farewell()) is expected
    assert "\x1b[?25h" in memory.farewell()
