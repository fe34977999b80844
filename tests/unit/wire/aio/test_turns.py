from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from genba_wire.aio.turns import turns_of_loop


async def test_what_becomes_due_while_something_is_read_is_done_at_its_end() -> None:
    turns, done = turns_of_loop(), list[str]()
    turns.begin()
    turns.at_end(lambda: done.append("due"))
    assert done == []
    turns.end()
    assert done == ["due"]


async def test_what_becomes_due_at_the_end_is_done_too() -> None:
    turns, done = turns_of_loop(), list[str]()

    def first() -> None:
        done.append("first")
        turns.at_end(lambda: done.append("second"))

    turns.begin()
    turns.at_end(first)
    turns.end()
    assert done == ["first", "second"]


async def test_within_another_reading_the_outer_one_ends_it() -> None:
    turns, done = turns_of_loop(), list[str]()
    turns.begin()
    turns.begin()
    turns.at_end(lambda: done.append("due"))
    turns.end()
    assert done == []
    turns.end()
    assert done == ["due"]


async def test_what_is_due_when_nothing_is_read_is_done_in_the_next_turn() -> None:
    turns, done = turns_of_loop(), list[str]()
    turns.at_end(lambda: done.append("due"))
    assert done == []
    await asyncio.sleep(0)
    assert done == ["due"]


async def test_one_that_fails_is_logged_and_harms_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    turns, done = turns_of_loop(), list[str]()

    def fail() -> None:
        raise IndexError

    turns.begin()
    turns.at_end(fail)
    turns.at_end(lambda: done.append("due"))
    turns.end()
    assert done == ["due"]
    assert "IndexError" in caplog.text
    turns.begin()
    turns.end()
    assert done == ["due"]


async def test_every_loop_has_its_own() -> None:
    mine = turns_of_loop()
    assert turns_of_loop() is mine

    async def theirs() -> object:
        return turns_of_loop()

    assert await asyncio.to_thread(asyncio.run, theirs()) is not mine


async def test_a_loop_that_ended_is_freed() -> None:
    def run() -> weakref.ref[asyncio.AbstractEventLoop]:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(use())
        finally:
            loop.close()
        return weakref.ref(loop)

    async def use() -> None:
        turns_of_loop()

    freed = await asyncio.to_thread(run)
    gc.collect()
    assert freed() is None


async def test_after_an_interrupt_all_is_as_before() -> None:
    turns, done = turns_of_loop(), list[str]()

    def interrupt() -> None:
        raise KeyboardInterrupt

    turns.begin()
    turns.at_end(interrupt)
    turns.at_end(lambda: done.append("due"))
    with pytest.raises(KeyboardInterrupt):
        turns.end()
    turns.begin()
    turns.at_end(lambda: done.append("next"))
    turns.end()
    assert done == ["next"], "what was due at the interrupted end is gone, and a turn ends again"
