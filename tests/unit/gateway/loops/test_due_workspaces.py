from __future__ import annotations

import asyncio

import pytest

from genba_gateway.loops.due_workspaces import DueWorkspaces


class Stopped(Exception):
    pass


async def test_one_that_fails_holds_up_no_other_and_a_list_that_fails_is_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listed, built, pauses = 0, list[str](), list[float]()

    async def list_due() -> list[str]:
        nonlocal listed
        listed += 1
        await asyncio.sleep(0)
        if listed == 1:
            raise OSError("the disk is full")
        return ["a", "b"]

    async def build(workspace_id: str) -> int:
        await asyncio.sleep(0)
        if workspace_id == "a":
            raise ValueError
        built.append(workspace_id)
        return 1

    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)
        pauses.append(seconds)
        if len(pauses) == 2:
            raise Stopped

    loop = DueWorkspaces(list_due, build, unread="unread, again in %s s", stuck="stuck: %s", interval_s=7, pause=pause)
    with pytest.raises(Stopped):
        await loop.run()
    assert (built, pauses, loop.failed_steps) == (["b"], [7, 7], 2)
    assert "unread, again in 7 s" in caplog.text
    assert "stuck: a" in caplog.text
