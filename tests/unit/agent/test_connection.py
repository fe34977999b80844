from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from genba_agent.api import AgentApi
from genba_agent.backoff import EARLY_CAP_S, Backoff
from genba_agent.connection import STABLE_AFTER_S, ControlConnection
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.tunnel import control, frames
from genba_wire.tunnel.control import Dial, DialFailed
from genba_wire.tunnel.frames import DEAD_AFTER_S, GREETING_S, PING_AFTER_S
from tests.support.agent_builders import make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, AgentGateway, running_gateway

BOOT_ID = uuid.uuid4().bytes
NONCE = str(uuid.uuid4())


@dataclass
class World:
    """A gateway, and an agent's control connection to it."""

    gateway: AgentGateway
    clock: FakeClock
    backoff: Backoff
    connection: ControlConnection
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    dials: asyncio.Queue[tuple[Dial, Callable[[DialFailed], None]]] = field(
        default_factory=lambda: asyncio.Queue[tuple[Dial, Callable[[DialFailed], None]]]()
    )

    async def wait_for_pings(self, count: int) -> None:
        """Return when the agent has pinged so often."""
        await self.gateway.wait_for(lambda: self.gateway.control.count(frames.Ping) == count)


@asynccontextmanager
async def open_world() -> AsyncGenerator[World]:
    clock = FakeClock()
    backoff = Backoff(clock.monotonic, jitter=lambda: 1.0)
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        connection = ControlConnection(
            AgentApi(transport),
            clock,
            boot_id=BOOT_ID,
            on_connected=lambda: world.connected.set(),
            dial=lambda dial, answer: world.dials.put_nowait((dial, answer)),
            backoff=backoff,
        )
        world = World(gateway, clock, backoff, connection)
        yield world


@asynccontextmanager
async def connected_world() -> AsyncGenerator[tuple[World, asyncio.Task[None]]]:
    """A world in the middle of `step`."""
    async with open_world() as world, asyncio.TaskGroup() as group:
        step = group.create_task(world.connection.step())
        await world.connected.wait()
        yield world, step
        step.cancel()


async def test_agent_says_hello_with_its_boot_id_and_answers_pings() -> None:
    async with connected_world() as (world, _):
        assert world.gateway.control.heard[0] == frames.Hello(BOOT_ID)
        world.gateway.send_control(frames.encode(frames.Ping(b"12345678")))
        await world.gateway.wait_for(lambda: frames.Pong(b"12345678") in world.gateway.control.heard)


async def test_command_to_dial_is_carried_out_and_its_failure_answered() -> None:
    async with connected_world() as (world, _):
        dial = Dial(nonce=NONCE, build_id="build", ticket="ticket")
        world.gateway.send_control(frames.encode(frames.Command(control.encode(dial))))
        received, answer = await world.dials.get()
        assert received == dial
        failure = DialFailed(nonce=NONCE, reason="no way")
        answer(failure)
        await world.gateway.wait_for(lambda: world.gateway.control.count(frames.Answer) == 1)
        said = world.gateway.control.heard[-1]
        assert isinstance(said, frames.Answer)
        assert control.parse_answer(said.json) == failure


async def test_failure_that_comes_after_the_carrier_ended_is_dropped() -> None:
    async with connected_world() as (world, step):
        dial = Dial(nonce=NONCE, build_id="build", ticket="ticket")
        world.gateway.send_control(frames.encode(frames.Command(control.encode(dial))))
        _, answer = await world.dials.get()
        world.gateway.close_control()
        await step
        answer(DialFailed(nonce=NONCE, reason="too late"))


async def test_unknown_commands_and_ignorable_frames_are_ignored() -> None:
    async with connected_world() as (world, _):
        world.gateway.send_control(b"\x7fwhatever")
        world.gateway.send_control(frames.encode(frames.Command(b'{"type": "of the future"}')))
        world.gateway.send_control(frames.encode(frames.Ping(b"12345678")))
        await world.gateway.wait_for(lambda: frames.Pong(b"12345678") in world.gateway.control.heard)
        assert world.gateway.open_controls == 1


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        frames.encode(frames.Hello()),
        frames.encode(frames.Data(0, b"")),
        frames.encode(frames.Command(b"{")),
    ],
)
async def test_gateway_that_breaks_the_protocol_is_left(message: bytes) -> None:
    async with connected_world() as (world, step):
        world.gateway.send_control(message)
        await step
        await world.gateway.wait_for(lambda: world.gateway.open_controls == 0)
        assert world.gateway.control.goodbyes == 1


async def test_another_major_version_is_no_connection() -> None:
    async with open_world() as world:
        world.gateway.control.hello = frames.Hello(major=frames.MAJOR + 1)
        await world.connection.step()
        assert not world.connected.is_set()


async def test_gateway_without_a_hello_is_given_up() -> None:
    async with open_world() as world, asyncio.TaskGroup() as group:
        world.gateway.control.is_mute = True
        step = group.create_task(world.connection.step())
        await world.clock.wait_for_sleep(GREETING_S)
        world.clock.advance(GREETING_S)
        await step
        assert not world.connected.is_set()


async def test_quiet_line_is_pinged_and_kept_as_long_as_it_answers() -> None:
    async with connected_world() as (world, step):
        for count in range(1, 5):
            await world.clock.wait_for_sleep(PING_AFTER_S)
            world.clock.advance(PING_AFTER_S)
            await world.wait_for_pings(count)
        assert not step.done()
        assert world.gateway.control_connections == 1


async def test_half_open_line_is_given_up_after_30_seconds_of_silence() -> None:
    async with connected_world() as (world, step):
        await world.clock.wait_for_sleep(PING_AFTER_S)
        world.gateway.control.is_mute = True
        world.clock.advance(PING_AFTER_S)
        await world.wait_for_pings(1)
        await world.clock.wait_for_sleep(DEAD_AFTER_S - PING_AFTER_S)
        world.clock.advance(DEAD_AFTER_S - PING_AFTER_S - 0.1)
        assert not step.done()
        world.clock.advance(0.1)
        await step
        assert world.clock.monotonic() == DEAD_AFTER_S
        await world.gateway.wait_for(lambda: world.gateway.open_controls == 0)
        assert world.gateway.control.goodbyes == 0, "it waited for an answer from a line that is dead"


async def test_connection_that_lived_ends_the_outage_and_a_short_one_does_not() -> None:
    async with open_world() as world:

        async def connect_and_drop(lived_s: float) -> None:
            world.connected.clear()
            async with asyncio.TaskGroup() as group:
                step = group.create_task(world.connection.step())
                await world.connected.wait()
                world.clock.advance(lived_s)
                world.gateway.close_control()
                await step
            await world.gateway.wait_for(lambda: world.gateway.open_controls == 0)

        world.backoff.next_wait_s()
        await connect_and_drop(STABLE_AFTER_S - 1)
        assert world.backoff.next_wait_s() > 0
        await connect_and_drop(STABLE_AFTER_S)
        assert world.backoff.next_wait_s() == 0
        assert world.gateway.control_connections == 2


async def test_gateway_that_was_away_for_30_seconds_is_asked_every_second() -> None:
    async with open_world() as world:
        await world.gateway.stop()
        waits: list[float] = []
        while world.clock.monotonic() < 30:
            await world.connection.step()
            waits.append(world.backoff.next_wait_s())
            world.clock.advance(waits[-1])
        assert max(waits) <= EARLY_CAP_S
        assert not world.connected.is_set()
        await world.gateway.start()
        async with asyncio.TaskGroup() as group:
            step = group.create_task(world.connection.step())
            await world.connected.wait()
            step.cancel()


async def test_absent_gateway_is_survived() -> None:
    async with open_world() as world:
        await world.gateway.stop()
        await world.connection.step()
        await world.gateway.start()


async def test_run_waits_between_attempts() -> None:
    async with open_world() as world, asyncio.TaskGroup() as group:
        world.gateway.token = "another"
        running = group.create_task(world.connection.run())
        await world.clock.wait_for_sleep(0.1)
        assert len(world.gateway.requests) == 2
        world.clock.advance(0.1)
        await world.clock.wait_for_sleep(0.2)
        assert len(world.gateway.requests) == 3
        running.cancel()
