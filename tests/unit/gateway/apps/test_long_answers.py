"""Answers that last, by a loop's clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from genba_gateway.apps.long_answers import LONG_ANSWER_S, LongAnswers


class Clock:
    """The running loop's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._offset = 0.0
        loop = asyncio.get_running_loop()
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + self._offset)

    async def move(self, seconds: float) -> None:
        self._offset += seconds
        for _ in range(3):
            await asyncio.sleep(0)


async def test_each_is_told_when_it_has_lasted_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, answers, told = Clock(monkeypatch), LongAnswers(), list[str]()
    answers.add("first", lambda: told.append("first"))
    await clock.move(LONG_ANSWER_S / 2)
    answers.add("short", lambda: told.append("short"))
    answers.add("second", lambda: told.append("second"))
    answers.discard("short")
    await clock.move(LONG_ANSWER_S * 0.6)
    assert told == ["first"]
    await clock.move(LONG_ANSWER_S * 0.6)
    assert told == ["first", "second"]
    answers.discard("second")
    await clock.move(LONG_ANSWER_S)
    answers.add("third", lambda: told.append("third"))
    await clock.move(LONG_ANSWER_S * 1.1)
    assert told == ["first", "second", "third"]


async def test_nobody_is_told_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, answers, told = Clock(monkeypatch), LongAnswers(), list[str]()
    answers.add("one", lambda: told.append("one"))
    answers.close()
    await clock.move(2 * LONG_ANSWER_S)
    assert told == []
