"""Lines that keep a terminal from falling silent."""

from __future__ import annotations

import threading

import pytest

from scripts import progress


def test_work_of_our_own_process_is_told_while_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = threading.Event()
    monkeypatch.setattr(progress, "TICK_S", 0.0)
    say = progress.say
    monkeypatch.setattr(progress, "say", lambda line: (say(line), told.set()))
    with progress.ticking("the executable is made"):
        assert told.wait(30)
    assert capsys.readouterr().err.startswith("  the executable is made: 0 s\n")
