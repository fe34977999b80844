"""Control carriers as the gateway serves them: silence, take-over, and dials; time is passed in."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.domain import control_carriers
from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.channels import of_workspace
from genba_gateway.domain.session_grants import Purpose
from genba_gateway.errors import AgentUnreachable
from genba_gateway.relay.rendezvous import Rendezvous
from genba_gateway.services.agent_connections import TAKEN_OVER, AgentConnections
from genba_gateway.services.agent_controls import CLOSE_SILENT, CLOSE_STUCK, AgentControls, CarrierSocket
from genba_gateway.services.agent_dials import AgentDials
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.tickets import Tickets
from genba_wire.tunnel import control as control_messages
from genba_wire.tunnel.control import DialFailed, parse_command
from genba_wire.tunnel.frames import Answer, Command, Hello, Ping, Pong, encode, parse
from tests.support.agent_rows import REPLICA, AgentRows, open_agent_rows
from tests.support.carriers import Hearer, carrier_pair
from tests.support.waiting import turned_until

CEILING_S = 30.0
TURNS = 50
"""Of the loop: more than a message needs from one end to the other and back."""

BOOT_ID = uuid.UUID("33333333-3333-4333-8333-333333333333")
HELLO = encode(Hello(boot_id=BOOT_ID.bytes))


class PassedTime:
    """A clock that, once started, jumps to whatever is waited for, when all that was said is heard."""

    def __init__(self) -> None:
        self.time = 0.0
        self.started = asyncio.Event()

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await self.started.wait()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.time += seconds


class StandingTime(PassedTime):
    """A clock in which nothing ever happens."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Socket:
    """The agent's end, in memory."""

    def __init__(self, *messages: bytes) -> None:
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()
        for message in messages:
            self.incoming.put_nowait(message)

    async def receive(self) -> bytes:
        return await self.incoming.get()

    async def send(self, message: bytes) -> None:
        self.sent.put_nowait(message)


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_dials(rows: AgentRows) -> AgentDials:
    return AgentDials(Tickets(TicketKeys(rows.database, rows.sealer, rows.clock), rows.clock), Rendezvous())


def make_controls(rows: AgentRows, dials: AgentDials, clock: PassedTime) -> AgentControls:
    return AgentControls(AgentConnections(rows.database, rows.pubsub, replica_id=REPLICA, now=rows.clock), dials, clock)


async def wait_until_connected(rows: AgentRows, actor: AgentActor) -> None:
    with rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as subscription:
        while (await rows.get_agent(actor.agent_id)).first_connected_at is None:
            await subscription.changed(timeout_s=CEILING_S)


async def test_an_agent_that_says_nothing_for_30_seconds_is_given_up(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    clock, socket = PassedTime(), Socket(HELLO)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        serving = group.create_task(make_controls(rows, make_dials(rows), clock).serve(actor, socket))
        await wait_until_connected(rows, actor)
        clock.started.set()
        code, reason = await serving
    assert (code, clock.time) == (CLOSE_SILENT, 30.0)
    assert "30 s" in reason
    said = [parse(socket.sent.get_nowait()) for _ in range(socket.sent.qsize())]
    assert isinstance(said[0], Hello)
    assert [frame for frame in said if isinstance(frame, Ping)], "it was asked before it was given up"
    assert reason in (await rows.get_agent(actor.agent_id)).disconnect_reason


async def test_an_agent_that_answers_pings_is_kept(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    clock, socket = PassedTime(), Socket(HELLO)

    async def answer() -> None:
        while clock.time < 600:
            frame = parse(await socket.sent.get())
            if isinstance(frame, Ping):
                socket.incoming.put_nowait(encode(Pong(frame.token)))

    controls = make_controls(rows, make_dials(rows), clock)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        served = group.create_task(controls.serve(actor, socket))
        answering = group.create_task(answer())
        await wait_until_connected(rows, actor)
        clock.started.set()
        await asyncio.wait([answering, served], return_when=asyncio.FIRST_COMPLETED)
        assert not served.done()
        served.cancel()
    assert clock.time >= 600


async def test_a_second_carrier_of_the_agent_takes_over(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    controls = make_controls(rows, make_dials(rows), StandingTime())
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        first_socket = Socket(HELLO)
        first = group.create_task(controls.serve(actor, first_socket))
        await first_socket.sent.get()
        await wait_until_connected(rows, actor)
        second = group.create_task(controls.serve(actor, Socket(HELLO)))
        assert await first == (1000, TAKEN_OVER)
        assert (await rows.get_agent(actor.agent_id)).disconnected_at is None
        second.cancel()


async def test_a_dial_that_the_agent_refuses_fails_with_its_words(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    dials = make_dials(rows)
    socket = Socket(HELLO)

    async def refuse() -> None:
        while True:
            frame = parse(await socket.sent.get())
            if isinstance(frame, Command):
                dial = parse_command(frame.json)
                assert dial is not None
                assert dial.build_id == actor.build_id
                failed = control_messages.encode(DialFailed(nonce=dial.nonce, reason="no route"))
                socket.incoming.put_nowait(encode(Answer(failed)))

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        serving = group.create_task(make_controls(rows, dials, StandingTime()).serve(actor, socket))
        refusing = group.create_task(refuse())
        await wait_until_connected(rows, actor)
        with pytest.raises(AgentUnreachable, match="no route"):
            async with dials.dial(actor.agent_id, Purpose.TERMINAL):
                pass
        serving.cancel()
        refusing.cancel()


async def test_an_agent_without_a_carrier_here_is_told_at_once(rows: AgentRows) -> None:
    with pytest.raises(AgentUnreachable):
        async with make_dials(rows).dial(str(uuid.uuid4()), Purpose.TERMINAL):
            pass


async def test_an_agent_that_does_not_read_is_given_up(rows: AgentRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_carriers, "MAX_WAITING_BYTES", 1000)
    actor = await rows.add_running_agent()

    class FullSocket(Socket):
        async def send(self, message: bytes) -> None:
            await asyncio.Event().wait()

    socket = FullSocket(HELLO)
    ping = encode(Ping(b"12345678"))
    for _ in range(1000 // len(ping) + 10):
        socket.incoming.put_nowait(ping)
    async with asyncio.timeout(CEILING_S):
        code, reason = await make_controls(rows, make_dials(rows), StandingTime()).serve(actor, socket)
    assert code == CLOSE_STUCK
    assert "unread" in reason


async def test_carrier_is_a_socket_that_reads_no_further_than_it_is_read() -> None:
    async with carrier_pair() as (agent, gateway), asyncio.timeout(CEILING_S):
        socket, hearer = CarrierSocket(gateway), Hearer()
        agent.start(hearer)
        await socket.send(b"dial")
        await hearer.until(lambda: hearer.messages == [b"dial"])
        messages = [bytes([number]) * 100_000 for number in range(control_carriers.MAX_WAITING_BYTES // 100_000 + 2)]
        for message in messages:
            agent.send(message)
        await turned_until(lambda: not gateway.is_reading)
        assert [await socket.receive() for _ in messages] == messages
        assert gateway.is_reading


async def test_carrier_is_a_socket_that_sends_when_there_is_room() -> None:
    async with carrier_pair() as (agent, gateway), asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        socket, hearer = CarrierSocket(gateway), Hearer()
        while not gateway.is_sending_paused:
            await socket.send(bytes(100_000))
        waiting = tasks.create_task(socket.send(b"last"))
        await asyncio.sleep(0)
        assert not waiting.done()
        agent.start(hearer)
        await hearer.until(lambda: hearer.messages[-1:] == [b"last"])
