"""A terminal over real links, with outages of every kind; the terminal itself is played by the test."""

from __future__ import annotations

import asyncio

import pytest

from genba_ide_bridge.sessions.redial import RedialDelays
from genba_ide_bridge.sessions.terminal import TYPED_KEPT_BYTES, Connected, Ended, Reconnecting
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.terminal_agent import RECONNECT, REFUSED_ONCE, TerminalStage, terminal_stage

CEILING_S = 30.0


async def lose_and_return(stage: TerminalStage) -> None:
    """Lose the carrier and wait until the session is connected over another."""
    before = len(stage.shown.states)
    stage.transport.lose_carrier()
    await stage.until(lambda: any(isinstance(state, Connected) for state in stage.shown.states[before:]))


async def test_keys_output_size_and_exit_code_pass() -> None:
    async with terminal_stage() as stage, stage.running(command="make", height=30, width=100) as (session, task):
        stream = await stage.opened()
        assert (stream.opened.reconnect, stream.opened.command) == (RECONNECT, "make")
        assert (stream.opened.height, stream.opened.width) == (30, 100)
        session.write(b"yes\r")
        session.resize(40, 120)
        await stage.until(lambda: stream.typed == b"yes\r" and stream.sizes == [(40, 120)])
        stream.stream.write(b"done\r\n")
        stream.exit(3)
        async with asyncio.timeout(CEILING_S):
            assert await task == Ended("The terminal has ended.", 3)
    assert stage.shown.screen == b"done\r\n"
    assert stage.shown.states == [Connected(), Ended("The terminal has ended.", 3)]
    assert stage.transport.tickets == stage.gateway.tickets == [f"ticket 1 for {stage.request.agent_id}"]


async def test_a_lost_carrier_is_a_pause_and_the_stream_goes_on() -> None:
    async with terminal_stage() as stage, stage.running() as (session, _):
        stream = await stage.opened()
        session.write(b"before ")
        await stage.until(lambda: stream.typed == b"before ")
        await lose_and_return(stage)
        session.write(b"after")
        await stage.until(lambda: stream.typed == b"before after")
        stream.stream.write(b"still here")
        await stage.until(lambda: stage.shown.screen == b"still here")
    assert len(stage.agent.streams) == 1
    assert [type(state) for state in stage.shown.states] == [Connected, Reconnecting, Connected]
    assert stage.shown.states[-1] == Connected(is_replay=False)
    assert len(stage.gateway.tickets) == 2


async def test_keys_and_size_of_an_outage_arrive_after_it() -> None:
    async with terminal_stage() as stage, stage.running() as (session, _):
        stream = await stage.opened()
        stage.transport.failures += [GatewayUnreachable("Check the URL.")] * 3
        away = Reconnecting(f"The gateway at {stage.gateway.url} can't be reached.")
        stage.transport.lose_carrier()
        await stage.until(lambda: away in stage.shown.states)
        session.write(b"typed ")
        session.write(b"meanwhile")
        session.resize(50, 132)
        session.resize(51, 133)
        await stage.until(lambda: stream.typed == b"typed meanwhile" and stream.sizes == [(51, 133)])


async def test_of_keys_in_an_outage_so_many_are_kept() -> None:
    async with terminal_stage() as stage, stage.running() as (session, _):
        stream = await stage.opened()
        stage.transport.failures += [GatewayUnreachable("Check the URL.")] * 3
        away = Reconnecting(f"The gateway at {stage.gateway.url} can't be reached.")
        stage.transport.lose_carrier()
        await stage.until(lambda: away in stage.shown.states)
        session.write(b"x" * (TYPED_KEPT_BYTES - 1))
        assert session.is_writable
        session.write(b"y")
        assert not session.is_writable
        session.write(b"lost")
        await stage.until(lambda: len(stream.typed) == TYPED_KEPT_BYTES)
        assert session.is_writable
        session.write(b"z")
        await stage.until(lambda: stream.typed[-2:] == b"yz")


@pytest.mark.parametrize("command", ["", "make"])
async def test_a_link_that_is_gone_gives_way_to_another_with_the_same_terminal(command: str) -> None:
    async with terminal_stage() as stage, stage.running(command=command) as (session, _):
        stream = await stage.opened()
        stream.stream.write(b"old output")
        await stage.until(lambda: stage.shown.screen == b"old output")
        stage.agent.forget_links()
        await lose_and_return(stage)
        again = await stage.opened(streams=2)
        # A command must never run twice: the agent is only to find what is there.
        assert (again.opened.reconnect, again.opened.must_exist) == (RECONNECT, True)
        assert stage.shown.states[-1] == Connected(is_replay=True)
        session.write(b"goes on")
        await stage.until(lambda: again.typed == b"goes on")


async def test_bytes_that_a_carrier_took_with_it_are_typed_all_the_same() -> None:
    async with terminal_stage() as stage, stage.running() as (session, _):
        stream = await stage.opened()
        # The agent hears nothing of it while the client has lost the carrier already.
        stage.transport.far_ends[-1].pause_reading()
        session.write(b"arrives late")
        await asyncio.sleep(0)
        await lose_and_return(stage)
        await stage.until(lambda: stream.typed == b"arrives late")
        assert stage.shown.states[-1] == Connected()
        assert (len(stage.agent.streams), len(stage.transport.tickets)) == (1, 2)


async def test_credit_for_output_of_an_earlier_link_goes_nowhere() -> None:
    async with terminal_stage() as stage, stage.running() as (session, _):
        stage.shown.consumes = False
        first = await stage.opened()
        first.stream.write(b"a" * 100_000)
        await stage.until(lambda: len(stage.shown.screen) == 100_000)
        stage.agent.forget_links()
        await lose_and_return(stage)
        second = await stage.opened(streams=2)
        second.stream.write(b"b" * 50_000)
        await stage.until(lambda: len(stage.shown.screen) == 150_000)
        session.consumed(120_000)
        session.consumed(30_000)
        stage.shown.consumes = True
        second.stream.write(b"c" * 1_000_000)
        await stage.until(lambda: len(stage.shown.screen) == 1_150_000)
        assert stage.shown.screen.endswith(b"c")


async def test_output_waits_until_it_is_shown() -> None:
    async with terminal_stage() as stage, stage.running() as (session, _):
        stage.shown.consumes = False
        stream = await stage.opened()
        stream.stream.write(b"x" * 2_000_000)
        await stage.until(lambda: len(stage.shown.screen) > 0)
        for _ in range(50):
            await asyncio.sleep(0)
        waiting = len(stage.shown.screen)
        assert waiting < 2_000_000
        stage.shown.consumes = True
        session.consumed(waiting)
        await stage.until(lambda: len(stage.shown.screen) == 2_000_000)


async def test_another_process_of_the_agent_ends_the_terminal() -> None:
    async with terminal_stage() as stage, stage.running() as (_, task):
        await stage.opened()
        stage.agent.forget_links(boot_id=b"B" * 16)
        stage.transport.lose_carrier()
        async with asyncio.timeout(CEILING_S):
            ended = await task
    assert "restarted" in ended.reason
    assert ended.exit_code is None
    assert len(stage.agent.streams) == 1


async def test_a_workspace_that_was_stopped_ends_the_terminal_and_nothing_starts_it() -> None:
    async with terminal_stage() as stage, stage.running() as (_, task):
        await stage.opened()
        stage.gateway.add_build(stage.request.workspace_id, transition="stop")
        stage.transport.failures.append(GatewayRefused(409, "The agent is not connected."))
        stage.transport.lose_carrier()
        async with asyncio.timeout(CEILING_S):
            ended = await task
    assert ended == Ended("The workspace dev was stopped.", None, "`genba start dev` starts it.")
    assert stage.shown.states[-1] == ended
    assert stage.gateway.requests_of("POST", f"/workspaces/{stage.request.workspace_id}/builds") == []


async def test_a_gateway_that_is_away_at_first_is_said_at_once() -> None:
    async with terminal_stage() as stage:
        stage.transport.failures.append(GatewayUnreachable("Can't reach the gateway."))
        async with stage.running() as (_, task), asyncio.timeout(CEILING_S):
            assert await task == Ended("Can't reach the gateway.")
    assert stage.shown.states == [Ended("Can't reach the gateway.")]


async def test_an_agent_that_is_away_at_first_is_waited_for_some_seconds() -> None:
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    async with terminal_stage() as stage:
        stage.delays = RedialDelays(sleep, lambda: now)
        stage.transport.failures += [GatewayRefused(409, "The agent is not connected.")] * 100
        async with stage.running() as (_, task), asyncio.timeout(CEILING_S):
            assert await task == Ended("The agent is not connected.")
    assert 15 <= now < 20
    assert 0 < len(stage.transport.failures) < 100


async def test_an_agent_without_its_manifest_is_asked_again() -> None:
    async with terminal_stage() as stage:
        stage.agent.refusals += [REFUSED_ONCE] * 2
        async with stage.running() as (session, _):
            stream = await stage.opened()
            session.write(b"x")
            await stage.until(lambda: stream.typed == b"x")
    assert len(stage.agent.requests) == 3


async def test_a_refusal_of_the_agent_is_the_end_with_its_words() -> None:
    async with terminal_stage() as stage:
        stage.agent.refusals.append((int(ResetCode.FAILED), "The terminal could not be started: no pty is left."))
        async with stage.running() as (_, task), asyncio.timeout(CEILING_S):
            ended = await task
    assert ended.reason.endswith("The terminal could not be started: no pty is left.")
    assert ended.exit_code is None


async def test_going_back_to_a_terminal_that_is_gone_says_so() -> None:
    async with terminal_stage() as stage:
        stage.agent.refusals.append((int(ResetCode.GONE), "The terminal is not there any more."))
        async with stage.running(is_reattach=True) as (_, task), asyncio.timeout(CEILING_S):
            ended = await task
    assert stage.agent.requests[0].must_exist
    assert ended == Ended("The terminal is not there any more.")


async def test_a_terminal_that_went_with_its_link_ends_with_the_reason_of_both() -> None:
    async with terminal_stage() as stage, stage.running() as (_, task):
        await stage.opened()
        stage.agent.forget_links()
        stage.agent.refusals.append((int(ResetCode.GONE), "The terminal is not there any more."))
        stage.transport.lose_carrier()
        async with asyncio.timeout(CEILING_S):
            ended = await task
    assert ended.reason.startswith("The terminal is not there any more: ")
    assert "link" in ended.reason


async def test_going_back_to_a_terminal_that_ended_meanwhile_tells_its_code() -> None:
    async with terminal_stage() as stage, stage.running(is_reattach=True) as (_, task):
        stream = await stage.opened()
        stream.stream.write(b"scrollback")
        stream.exit(193)
        async with asyncio.timeout(CEILING_S):
            assert (await task).exit_code == 193


async def test_leaving_tells_the_agent_at_once() -> None:
    async with terminal_stage() as stage:
        async with stage.running():
            stream = await stage.opened()
        await stage.until(lambda: stream.reset_code == ResetCode.LINK_LOST)
        assert len(stage.agent.links) == 0
    assert stage.shown.states == [Connected()]
