from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from genba_agent.api import AgentApi
from genba_agent.lifecycle import Outcome
from genba_agent.retry import Retrier
from genba_agent.script_runner import ScriptEnd
from genba_agent.script_timings import MAX_UNSENT, Occasion, ScriptTimings
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.agent_protocol import ManifestScript
from tests.support.agent_builders import make_manifest, make_script
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, AgentGateway, running_gateway


def named(script_id: str) -> ManifestScript:
    return make_script("true", script_id=script_id)


@dataclass(frozen=True, slots=True)
class Stage:
    gateway: AgentGateway
    clock: FakeClock
    timings: ScriptTimings


@asynccontextmanager
async def staged() -> AsyncGenerator[Stage]:
    clock = FakeClock()
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        yield Stage(gateway, clock, ScriptTimings(AgentApi(transport), Retrier(clock), clock))


async def test_runs_are_reported_in_order() -> None:
    async with staged() as stage, asyncio.TaskGroup() as group:
        running = group.create_task(stage.timings.run())
        began = stage.clock.now()
        stage.clock.advance(2)
        stage.timings.add(named("a"), Occasion.START, began, ScriptEnd(Outcome.FAILED, 4))
        stage.timings.add(named("b"), Occasion.STOP, began, ScriptEnd(Outcome.TIMED_OUT, 129))
        stage.timings.add(named("c"), Occasion.CRON, began, ScriptEnd(Outcome.SUCCEEDED, 0))
        await stage.timings.wait_until_sent()
        running.cancel()
        found = [(each["script_id"], each["stage"], each["status"]) for each in stage.gateway.script_timings]
        assert found == [("a", "start", "exit_failure"), ("b", "stop", "timed_out"), ("c", "cron", "ok")]
        first = stage.gateway.script_timings[0]
        assert (first["exit_code"], first["ended_at"] > first["started_at"]) == (4, True)


async def test_a_gateway_that_knows_no_timings_is_not_asked_again() -> None:
    async with staged() as stage:
        stage.gateway.fail_next("script-timings", 404)
        stage.timings.add(named("a"), Occasion.START, stage.clock.now(), ScriptEnd(Outcome.SUCCEEDED, 0))
        stage.timings.add(named("b"), Occasion.START, stage.clock.now(), ScriptEnd(Outcome.SUCCEEDED, 0))
        await stage.timings.step()
        await stage.timings.step()
        assert [each["script_id"] for each in stage.gateway.script_timings] == ["b"]


async def test_the_oldest_reports_are_given_up_and_a_clock_set_back_makes_no_negative_run() -> None:
    async with staged() as stage:
        later = stage.clock.now() + timedelta(hours=1)
        for number in range(MAX_UNSENT + 1):
            stage.timings.add(named(str(number)), Occasion.START, later, ScriptEnd(Outcome.SUCCEEDED, 0))
        stage.timings.add(make_script("true"), Occasion.START, later, ScriptEnd(Outcome.SUCCEEDED, 0))
        for _ in range(MAX_UNSENT):
            await stage.timings.step()
        await stage.timings.wait_until_sent()
        found = stage.gateway.script_timings
        assert [found[0]["script_id"], found[-1]["script_id"], len(found)] == ["1", str(MAX_UNSENT), MAX_UNSENT]
        assert found[0]["started_at"] == found[0]["ended_at"]
