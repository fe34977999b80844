"""What is said about pauses of a session of OpenSSH's."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import sys
import tty
from collections.abc import Generator
from contextlib import suppress
from typing import TextIO

import pytest

from genba_ide_bridge.cli.session_pauses import SessionPauses
from tests.support.carriers import CEILING_S
from tests.support.deaf_stderr import deaf_stderr


class Terminal:
    """A terminal that stands in for stderr."""

    def __init__(self) -> None:
        self._screen, self.descriptor = pty.openpty()
        self._stderr: TextIO = open(self.descriptor, "w", closefd=False)  # noqa: SIM115  closed below

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be stderr. Called by tests, since pytest takes stderr back after their fixtures."""
        monkeypatch.setattr(sys, "stderr", self._stderr)

    def shown(self) -> str:
        """What came onto the screen since the last call, something at least."""
        ready, _, _ = select.select([self._screen], [], [], CEILING_S)
        assert ready, "nothing is shown"
        return os.read(self._screen, 65536).decode()

    def is_empty(self) -> bool:
        """Whether nothing is shown; what is written afterwards is the first that comes."""
        self._stderr.write("mark")
        self._stderr.flush()
        return self.shown() == "mark"

    def hang_up(self) -> None:
        """Go away: whoever writes is told EIO."""
        os.close(self._screen)
        self._screen = -1

    def close(self) -> None:
        with suppress(OSError):
            self._stderr.close()
        if self._screen >= 0:
            os.close(self._screen)
        os.close(self.descriptor)


@pytest.fixture
def terminal() -> Generator[Terminal]:
    made = Terminal()
    yield made
    made.close()


async def next_turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_words_stand_on_a_raw_terminal_for_as_long_as_a_pause_lasts(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.stand_in(monkeypatch)
    told: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        told.append((pid, number))

    monkeypatch.setattr(os, "kill", kill)
    tty.setraw(terminal.descriptor)
    pauses = SessionPauses(is_verbose=False, shown_after_s=0)
    pauses.begin("The gateway can't be reached.")
    await next_turns()
    assert "reconnecting" in (first := terminal.shown())
    assert "\n" not in first
    pauses.begin("It still can't.")
    assert "It still can't." in terminal.shown()
    pauses.end()
    assert terminal.shown() == "\x1b[K"
    assert told == [(os.getppid(), signal.SIGWINCH)]


async def test_lines_are_written_where_a_terminal_is_not_raw(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.stand_in(monkeypatch)
    pauses = SessionPauses(is_verbose=False, shown_after_s=0)
    pauses.begin("Away.")
    await next_turns()
    pauses.end()
    shown = terminal.shown()
    while shown.count("\n") < 2:
        shown += terminal.shown()
    assert "connected again" in shown
    assert "\x1b" not in shown


async def test_a_short_pause_is_not_shown(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.stand_in(monkeypatch)
    tty.setraw(terminal.descriptor)
    pauses = SessionPauses(is_verbose=False, shown_after_s=0.01)
    pauses.begin("Away.")
    pauses.end()
    pauses.begin("Away again.")
    pauses.close()
    await asyncio.sleep(0.03)
    assert terminal.is_empty()


async def test_the_words_go_when_the_session_is_over(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.stand_in(monkeypatch)
    tty.setraw(terminal.descriptor)
    pauses = SessionPauses(is_verbose=False, shown_after_s=0)
    pauses.begin("Away.")
    await next_turns()
    terminal.shown()
    pauses.close()
    assert terminal.shown() == "\x1b[K"


async def test_editors_and_scripts_see_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    pauses = SessionPauses(is_verbose=False, shown_after_s=0)
    pauses.begin("Away.")
    await next_turns()
    pauses.end()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_a_session_outlives_the_terminal_on_which_its_pauses_are_told(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    with deaf_stderr(monkeypatch, is_terminal=is_terminal):
        pauses = SessionPauses(is_verbose=True)
        pauses.begin("Away.")
        pauses.end()


async def test_a_session_outlives_a_terminal_that_goes_during_a_pause(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.stand_in(monkeypatch)
    tty.setraw(terminal.descriptor)
    pauses = SessionPauses(is_verbose=False, shown_after_s=0)
    pauses.begin("Away.")
    await next_turns()
    terminal.shown()
    terminal.hang_up()
    # Not in the loop: a terminal that is gone looks like a file, whose writes might block it.
    await asyncio.to_thread(pauses.begin, "Away still.")
    await asyncio.to_thread(pauses.close)
