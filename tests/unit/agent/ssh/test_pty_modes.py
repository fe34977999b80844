from __future__ import annotations

import os
import termios
from collections.abc import Generator

import pytest

from genba_agent.ssh.pty_modes import apply_modes


@pytest.fixture
def terminal() -> Generator[int]:
    """The program's side of a new terminal."""
    controller, terminal = os.openpty()
    yield terminal
    os.close(controller)
    os.close(terminal)


def test_characters_and_flags_are_set_and_cleared(terminal: int) -> None:
    apply_modes(terminal, {1: 24, 3: 8, 53: 0, 38: 0, 36: 1, 72: 0, 42: 1})
    attributes = termios.tcgetattr(terminal)
    assert attributes[6][termios.VINTR] == b"\x18"
    assert attributes[6][termios.VERASE] == b"\x08"
    assert not attributes[3] & termios.ECHO
    assert not attributes[0] & termios.IXON
    assert attributes[0] & termios.ICRNL
    assert not attributes[1] & termios.ONLCR


def test_character_that_is_not_set_is_none(terminal: int) -> None:
    apply_modes(terminal, {1: 255})
    assert termios.tcgetattr(terminal)[6][termios.VINTR] == b"\x00"


def test_what_is_not_known_changes_nothing(terminal: int) -> None:
    before = termios.tcgetattr(terminal)
    apply_modes(terminal, {})
    apply_modes(terminal, {99: 1, 128: 38400, 129: 38400, 11: 3})
    assert termios.tcgetattr(terminal) == before
