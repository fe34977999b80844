"""Lines that keep a terminal from falling silent."""

from __future__ import annotations

import threading

import pytest

from scripts import progress


def test_work_of_our_own_process_is_told_while_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        told.set()

    monkeypatch.setattr(progress, "TICK_S", 0.0)
    monkeypatch.setattr(progress, "LOOK_S", 0.01)
    monkeypatch.setattr(progress, "say", say)
    with progress.ticking("the executable is made"):
        assert told.wait(30)
    assert lines[0].startswith("  the executable is made: ")
