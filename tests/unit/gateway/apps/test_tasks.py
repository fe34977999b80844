from __future__ import annotations

import asyncio

import pytest

from genba_gateway.apps.tasks import UNKNOWN_END, start_task, wait_reason


async def fail() -> None:
    raise ValueError("odd")


async def test_a_task_that_fails_ends_its_request_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []
    may_end = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        other = tasks.create_task(may_end.wait())
        await start_task(tasks, fail(), name="body of a request", on_failure=lambda: ended.append("request"))
        assert ended == ["request"]
        assert not other.done()
        may_end.set()
    assert "body of a request" in caplog.text
    assert "ValueError: odd" in caplog.text


async def test_a_task_that_is_cancelled_did_not_fail(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        task = start_task(tasks, asyncio.sleep(60), name="watch", on_failure=lambda: ended.append("request"))
        await asyncio.sleep(0)
        task.cancel()
    assert (ended, caplog.text) == ([], "")


async def test_what_can_no_longer_be_watched_ends() -> None:
    async def cannot_tell() -> str:
        raise OSError("disk full")

    assert await wait_reason(cannot_tell) == UNKNOWN_END
