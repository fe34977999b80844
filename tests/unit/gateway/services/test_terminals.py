"""The web terminal between its viewer and its stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from genba_gateway.relay.taken_transport import EARLY_BYTES
from genba_gateway.services.client_carriers import CLOSE_REVOKED
from genba_gateway.services.terminals import Terminals, TerminalView
from genba_wire.aio.carrier import CLOSE_GOING_AWAY, CLOSE_INTERNAL_ERROR, CLOSE_NORMAL
from genba_wire.aio.stream import WRITABLE_BELOW_BYTES
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.streams import PTY, Exited, PtyOpen, Resize, encode, parse_pty_note
from tests.support.agent_clock import FakeClock
from tests.support.agent_rows import open_agent_rows
from tests.support.carriers import CEILING_S, Hearer, carrier_pair
from tests.support.links import Hosts, StreamHearer, link_world
from tests.support.session_world import VISITOR, SessionWorld, session_world
from tests.support.waiting import turned_until

OPTIONS = PtyOpen(reconnect="7b0e4f6e-3f0e-4d3e-8a52-0f6f6a2a9c11")


def say(client: WebSocketCarrier, **request: object) -> None:
    client.send(json.dumps(request).encode())


def sizes(hearer: StreamHearer) -> list[Resize]:
    return [size for note in hearer.notes if isinstance(size := parse_pty_note(note), Resize)]


@asynccontextmanager
async def view_world(*, gives_credit: bool = True) -> AsyncGenerator[tuple[TerminalView, WebSocketCarrier, Hosts]]:
    """A view that has its stream, the viewer's end, and the agent's."""
    hosts = Hosts(gives_credit=gives_credit)
    async with link_world(hosts.handle_stream) as (world, _, _), carrier_pair() as (client, server):
        client.start(Hearer())
        view = TerminalView(server)
        view.show(await world.session.open_stream(PTY))
        yield view, client, hosts


async def test_what_was_typed_before_there_was_a_stream_comes_first() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _), carrier_pair() as (client, server):
        client.start(Hearer())
        view = TerminalView(server)
        say(client, data="early ", height=20, width=60)
        client.send(b" " * EARLY_BYTES + b"{}")
        await turned_until(lambda: not server.is_reading)
        say(client, data="late")
        view.show(await world.session.open_stream(PTY))
        far = hosts.hearers[0]
        await far.until(lambda: far.data == b"early late")
        assert sizes(far) == [Resize(height=20, width=60)]


async def test_sizes_that_the_agent_does_not_take_are_bounded_and_the_last_one_arrives() -> None:
    async with view_world(gives_credit=False) as (view, client, hosts):
        far = hosts.hearers[0]
        say(client, data="x" * 200_000)
        say(client, data="x" * 200_000)
        say(client, data="x" * 200_000)
        stream = view._stream  # pyright: ignore[reportPrivateUsage]
        assert stream is not None
        await turned_until(lambda: not stream.is_writable)
        waiting = stream.waiting_bytes
        for height in range(1, 1001):
            view.message_received(json.dumps({"height": height, "width": 80}).encode())
        assert stream.waiting_bytes == waiting <= WRITABLE_BELOW_BYTES + 200_000
        far.gives_credit = True
        far.stream.consumed(far.received)
        await far.until(lambda: Resize(height=1000, width=80) in sizes(far))
        assert sizes(far) == [Resize(height=1000, width=80)]


async def test_sizes_alone_fill_a_stream_too() -> None:
    async with view_world() as (view, _, _):
        stream = view._stream  # pyright: ignore[reportPrivateUsage]
        assert stream is not None
        message = b'{"height":10,"width":80}'
        # Within one turn of the loop nothing is sent.
        for _ in range(WRITABLE_BELOW_BYTES // 10):
            view.message_received(message)
        assert WRITABLE_BELOW_BYTES < stream.waiting_bytes < WRITABLE_BELOW_BYTES + 100


async def test_a_message_that_is_none_closes_the_viewer() -> None:
    async with view_world() as (view, client, _):
        client.send(b"\xff")
        await view.wait_for_end()
        await client.wait_closed()
        assert client.close_code == CLOSE_INTERNAL_ERROR


@asynccontextmanager
async def serving(
    tmp_path: Path, hosts: Hosts, *, limit_s: float = CEILING_S, answers: bool = True, clock: FakeClock | None = None
) -> AsyncGenerator[tuple[SessionWorld, WebSocketCarrier, asyncio.Task[None], Hearer]]:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, hosts.handle_stream, limit_s=limit_s) as world,
        carrier_pair() as (client, viewer),
        asyncio.timeout(CEILING_S),
        asyncio.TaskGroup() as tasks,
    ):
        world.agent.is_answering = answers
        hearer = Hearer()
        client.start(hearer)
        terminals = Terminals(world.sessions, world.links, clock or FakeClock())
        task = tasks.create_task(terminals.serve(world.grant, OPTIONS, viewer, VISITOR))
        yield world, client, task, hearer
        await task


async def test_the_exit_code_is_the_reason_of_a_normal_close(tmp_path: Path) -> None:
    hosts = Hosts()
    async with serving(tmp_path, hosts) as (world, client, _, hearer):
        await world.agent.dialled.get()
        say(client, data="exit")
        await turned_until(lambda: bool(hosts.hearers))
        far = hosts.hearers[0]
        await far.until(lambda: far.data == b"exit")
        far.stream.note(encode(Exited(code=3)))
        far.stream.finish()
        await hearer.wait_lost()
        assert (client.close_code, "3" in client.close_reason) == (CLOSE_NORMAL, True)


async def test_an_agent_that_can_not_be_reached_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path, Hosts(), limit_s=0.01, answers=False) as (_, client, _, hearer):
        await hearer.wait_lost()
        assert client.close_code == CLOSE_INTERNAL_ERROR
        assert client.close_reason.startswith("dial: The agent did not open a carrier")


async def test_signing_out_closes_a_terminal_that_is_being_opened(tmp_path: Path) -> None:
    async with serving(tmp_path, Hosts(), answers=False) as (world, client, _, hearer):
        await world.agent.dialled.get()
        await world.sign_out()
        await hearer.wait_lost()
        assert (client.close_code, client.close_reason) == (CLOSE_REVOKED, "You signed out.")


async def test_signing_out_closes_an_open_terminal(tmp_path: Path) -> None:
    hosts = Hosts()
    async with serving(tmp_path, hosts) as (world, client, _, hearer):
        await turned_until(lambda: bool(hosts.hearers))
        await world.sign_out()
        await hearer.wait_lost()
        assert (client.close_code, client.close_reason) == (CLOSE_REVOKED, "You signed out.")


async def test_a_viewer_that_leaves_while_the_agent_is_dialled_is_waited_for_no_longer(tmp_path: Path) -> None:
    async with serving(tmp_path, Hosts(), answers=False) as (world, client, task, _):
        await world.agent.dialled.get()
        client.close()
        await task


async def test_a_viewer_that_fell_silent_is_closed(tmp_path: Path) -> None:
    hosts, clock = Hosts(), FakeClock()
    async with serving(tmp_path, hosts, clock=clock) as (_, client, task, _):
        await clock.wait_for_sleep(15.0)
        # It neither reads nor answers pings.
        client.pause_reading()
        clock.advance(15.0)
        await turned_until(lambda: clock.slept.count(15.0) == 2)
        clock.advance(15.0)
        await task
        client.resume_reading()
        await client.wait_closed()
        assert (client.close_code, client.close_reason) == (CLOSE_GOING_AWAY, "nothing heard for 30 s")
