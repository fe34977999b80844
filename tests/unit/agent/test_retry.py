from __future__ import annotations

import asyncio

import pytest

from genba_agent.backoff import Backoff
from genba_agent.retry import FINAL_STATUSES, Retrier, is_final
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from tests.support.agent_clock import FakeClock


class FlakyCall:
    """Fails with each error in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def make_retrier(clock: FakeClock) -> Retrier:
    return Retrier(clock, lambda: Backoff(clock.monotonic, jitter=lambda: 1.0))


async def test_insist_repeats_until_the_gateway_answers() -> None:
    clock = FakeClock()
    call = FlakyCall(GatewayUnreachable("away"), GatewayRefused(401, "not yet"), GatewayRefused(503, "busy"))
    async with asyncio.TaskGroup() as group:
        result = group.create_task(make_retrier(clock).insist("Test", call))
        for wait_s in (0.1, 0.2):
            await clock.wait_for_sleep(wait_s)
            clock.advance(wait_s)
        assert await result == "answer"
    assert call.calls == 4


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
async def test_insist_gives_up_on_a_final_answer(status: int) -> None:
    call = FlakyCall(GatewayRefused(status, "no"))
    with pytest.raises(GatewayRefused):
        await make_retrier(FakeClock()).insist("Test", call)
    assert call.calls == 1


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503, 504])
def test_other_statuses_pass(status: int) -> None:
    assert not is_final(GatewayRefused(status, "later"))


async def test_wake_ends_a_wait_early() -> None:
    clock = FakeClock()
    retrier = make_retrier(clock)
    call = FlakyCall(GatewayUnreachable("away"), GatewayUnreachable("away"))
    async with asyncio.TaskGroup() as group:
        result = group.create_task(retrier.insist("Test", call))
        await clock.wait_for_sleep(0.1)
        retrier.wake()
        assert await result == "answer"
