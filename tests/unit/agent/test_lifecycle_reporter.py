from __future__ import annotations

import asyncio

from genba_agent.api import AgentApi
from genba_agent.lifecycle import Outcome, ScriptsStarting, StartFinished
from genba_agent.lifecycle_reporter import LifecycleReporter
from genba_agent.retry import Retrier
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.agent_builders import make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, running_gateway


async def test_states_arrive_in_order_and_only_the_latest_is_resent() -> None:
    clock = FakeClock()
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        reporter = LifecycleReporter(AgentApi(transport), Retrier(clock), clock)
        reporter.handle(ScriptsStarting())
        reporter.handle(StartFinished(Outcome.SUCCEEDED))
        # Nothing is resent while something is unsent.
        reporter.resend_latest()
        running = group.create_task(reporter.run())
        await reporter.wait_until_sent()
        assert gateway.lifecycle == ["created", "starting", "ready"]
        reporter.resend_latest()
        await reporter.wait_until_sent()
        assert gateway.lifecycle == ["created", "starting", "ready", "ready"]
        running.cancel()


async def test_refused_state_does_not_hold_up_the_next() -> None:
    clock = FakeClock()
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        gateway.fail_next("report-lifecycle", 400)
        reporter = LifecycleReporter(AgentApi(transport), Retrier(clock), clock)
        reporter.handle(ScriptsStarting())
        await reporter.step()
        await reporter.step()
        assert gateway.lifecycle == ["starting"]
