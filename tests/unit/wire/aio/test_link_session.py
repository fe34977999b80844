"""Links over real sockets: streams, ends, losses and returns, with the agent's own table of links at the other end."""

from __future__ import annotations

import asyncio
import hashlib
import random
import socket
from contextlib import AsyncExitStack
from unittest.mock import Mock

import pytest

from genba_wire.aio import link_session, websocket_carrier
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.stream import WRITABLE_BELOW_BYTES
from genba_wire.errors import CarrierLost, LinkEnded, StreamRefused
from genba_wire.tunnel.frames import DATA_CHUNK_BYTES, DEAD_AFTER_S, CloseCode, Ping, encode
from genba_wire.tunnel.mux import MAX_WINDOW
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.replay import MAX_REPLAY_BYTES, PROCESS_BUDGET
from tests.support.carriers import CEILING_S, Hearer, carrier_pair, raw_peer
from tests.support.links import BOOT_ID, Hosts, LinkWorld, StreamHearer, link_world

MIB = 1024 * 1024


def write_all(hearer: StreamHearer, data: bytes, step: int) -> None:
    """Write everything, a step at a time, whenever the stream is writable; then finish."""
    at = 0

    def go_on() -> None:
        nonlocal at
        while hearer.stream.is_writable and at < len(data):
            hearer.stream.write(memoryview(data)[at : at + step])
            at += step
        if at >= len(data):
            hearer.on_writable = lambda: None
            hearer.stream.finish()

    hearer.on_writable = go_on
    go_on()


async def test_stream_carries_data_and_notes_in_order_both_ways() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        stream = await world.session.open_stream("pty", b"head")
        assert (stream.head, hosts.opened) == (b"head of pty", [("pty", b"head")])
        near, far = StreamHearer(stream), hosts.hearers[0]
        stream.write(b"one")
        stream.note(b"note")
        stream.write(b"two")
        stream.finish()
        far.stream.write(b"answer")
        await far.until(lambda: "finished" in far.events)
        await near.until(lambda: near.data == b"answer")
        assert far.events == ["data one", "note note", "data two", "finished"]
        far.stream.finish()
        await near.until(lambda: "finished" in near.events)
        assert stream.is_over


async def test_sixteen_mib_both_ways_at_once_arrive_exactly() -> None:
    up, down = random.Random(1).randbytes(16 * MIB), random.Random(2).randbytes(16 * MIB)
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream("bulk"))
        far = hosts.hearers[0]
        write_all(near, up, 200_000)
        write_all(far, down, 65_536)
        await far.until(lambda: "finished" in far.events)
        await near.until(lambda: "finished" in near.events)
    assert far.digest.digest() == hashlib.sha256(up).digest()
    assert near.digest.digest() == hashlib.sha256(down).digest()


async def test_many_streams_share_the_link_and_each_arrives_exactly() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        nears = [StreamHearer(await world.session.open_stream("bulk")) for _ in range(20)]
        data = [random.Random(number).randbytes(600_000) for number in range(20)]
        for near, its in zip(nears, data, strict=True):
            write_all(near, its, 50_000)
        for far, its in zip(hosts.hearers, data, strict=True):
            await far.wait_finished()
            assert far.digest.digest() == hashlib.sha256(its).digest()


async def test_keystroke_does_not_wait_for_a_whole_download() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        bulk = StreamHearer(await world.session.open_stream("bulk"))
        keys = await world.session.open_stream("pty")
        far_bulk, far_keys = hosts.hearers
        write_all(bulk, bytes(16 * MIB), 65_536)
        await far_bulk.until(lambda: far_bulk.received > 0)
        keys.write(b"k")
        await far_keys.until(lambda: far_keys.data == b"k")
        assert far_bulk.received < 16 * MIB


async def test_reader_that_gives_no_credit_bounds_what_is_kept() -> None:
    hosts = Hosts(gives_credit=False)
    async with link_world(hosts.handle_stream) as (world, _, _):
        stream = await world.session.open_stream("bulk")
        other = await world.session.open_stream("pty")
        far, far_other = hosts.hearers
        while stream.is_writable:
            stream.write(bytes(65_536))
            await asyncio.sleep(0)
        other.write(b"x")
        await far_other.until(lambda: far_other.received == 1)
        assert 0 < far.received <= MAX_WINDOW
        assert WRITABLE_BELOW_BYTES < stream.waiting_bytes <= WRITABLE_BELOW_BYTES + 65_536
        near = StreamHearer(stream)
        far.gives_credit = True
        far.stream.consumed(far.received)
        await near.until(lambda: stream.is_writable)


async def test_carrier_that_takes_nothing_bounds_what_is_kept() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, client, server):
        streams = [await world.session.open_stream("bulk") for _ in range(4)]
        server.pause_reading()
        for _ in range(1000):
            for stream in streams:
                if stream.is_writable:
                    stream.write(bytes(65_536))
            await asyncio.sleep(0)
            if client.is_sending_paused and not any(stream.is_writable for stream in streams):
                break
        assert client.is_sending_paused
        assert all(stream.waiting_bytes <= WRITABLE_BELOW_BYTES + 65_536 for stream in streams)
        nears = [StreamHearer(stream) for stream in streams]
        server.resume_reading()
        for near in nears:
            near.stream.finish()
        for far in hosts.hearers:
            await far.wait_finished()


async def test_one_direction_may_end_before_the_other() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream("tcp"))
        far = hosts.hearers[0]
        near.stream.finish()
        await far.until(lambda: "finished" in far.events)
        far.stream.write(b"still here")
        far.stream.finish()
        await near.until(lambda: "finished" in near.events)
        assert near.data == b"still here"


async def test_refused_stream_says_why() -> None:
    async with link_world(Hosts().handle_stream) as (world, _, _):
        with pytest.raises(StreamRefused, match=r"Not today\.") as refused:
            await world.session.open_stream("refused")
        assert refused.value.code == ResetCode.REFUSED


async def test_handler_that_fails_refuses_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    def fail(kind: str, head: bytes, stream: object) -> None:
        raise RuntimeError("secret details")

    async with link_world(fail) as (world, _, _):
        with pytest.raises(StreamRefused) as refused:
            await world.session.open_stream("pty")
    assert refused.value.code == ResetCode.FAILED
    assert "secret" not in refused.value.reason
    assert "secret details" in caplog.text


async def test_reset_reaches_the_other_end_and_silences_ones_own() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, _):
        near = StreamHearer(await world.session.open_stream("pty"))
        far = hosts.hearers[0]
        near.stream.reset(ResetCode.CANCELLED, "enough")
        near.stream.write(b"ignored")
        far.stream.write(b"too late")
        await far.until(lambda: bool(far.resets))
        assert far.resets == [(ResetCode.CANCELLED, "enough")]
        assert (near.events, near.stream.is_over, far.stream.is_over) == ([], True, True)
        again = await world.session.open_stream("pty")
        assert not again.is_over


async def test_cancelled_open_resets_the_stream() -> None:
    opened = asyncio.Event()
    streams: list[StreamHearer] = []

    def hold(kind: str, head: bytes, stream: object) -> None:
        streams.append(StreamHearer(stream))  # type: ignore[arg-type]  # it is a Stream
        opened.set()

    async with link_world(hold) as (world, _, _):
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(world.session.open_stream("tcp"))
            await opened.wait()
            opening.cancel()
        await streams[0].until(lambda: bool(streams[0].resets))
        assert streams[0].resets[0][0] == ResetCode.CANCELLED


async def test_idle_link_goes_on_over_another_carrier() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, client, server):
        near = StreamHearer(await world.session.open_stream("pty"))
        far = hosts.hearers[0]
        near.stream.write(b"before")
        await far.until(lambda: far.data == b"before")
        server.abort()
        assert await world.wait_lost()
        assert not world.session.is_attached
        near.stream.write(b" and after")
        async with carrier_pair() as (again, served):
            world.table.serve(served)
            await world.session.attach(again)
            await far.until(lambda: far.data == b"before and after")
            far.stream.write(b"hello again")
            await near.until(lambda: near.data == b"hello again")
            assert (len(world.table), near.resets, world.closed) == (1, [], [])
        del client


async def test_carrier_that_is_replaced_while_it_lives_is_closed() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, client, server):
        near = StreamHearer(await world.session.open_stream("pty"))
        async with carrier_pair() as (again, served):
            world.table.serve(served)
            await world.session.attach(again)
            await client.wait_closed()
            await server.wait_closed()
            near.stream.write(b"over the second")
            await hosts.hearers[0].until(lambda: hosts.hearers[0].data == b"over the second")
            assert world.lost == []


async def test_bytes_that_a_carrier_took_with_it_are_sent_again() -> None:
    up, down = random.Random(1).randbytes(8 * MIB), random.Random(2).randbytes(8 * MIB)
    hosts = Hosts()
    held_before = PROCESS_BUDGET.held
    async with link_world(hosts.handle_stream) as (world, _, server), AsyncExitStack() as carriers:
        near = StreamHearer(await world.session.open_stream("bulk"))
        far = hosts.hearers[0]
        write_all(near, up, 200_000)
        write_all(far, down, 65_536)
        for lost in range(1, 4):
            await far.until(lambda lost=lost: far.received > lost * 2 * MIB)  # type: ignore[misc]
            server.abort()
            await world.wait_lost()
            again, server = await carriers.enter_async_context(carrier_pair())
            world.table.serve(server)
            await world.session.attach(again)
            assert world.session.is_attached
        await far.wait_finished()
        await near.wait_finished()
    assert far.digest.digest() == hashlib.sha256(up).digest()
    assert near.digest.digest() == hashlib.sha256(down).digest()
    assert PROCESS_BUDGET.held == held_before


async def test_peer_that_acknowledges_nothing_is_given_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = Hosts()
    held_before = PROCESS_BUDGET.held
    async with link_world(hosts.handle_stream) as (world, _, _):
        monkeypatch.setattr("genba_wire.tunnel.link_base.LinkBase._acknowledge", Mock())
        nears = [StreamHearer(await world.session.open_stream("bulk")) for _ in range(4)]
        for near in nears:
            write_all(near, bytes(8 * MIB), 65_536)
        fars = hosts.hearers
        await fars[0].until(lambda: sum(far.received for far in fars) >= MAX_REPLAY_BYTES - 4 * DATA_CHUNK_BYTES)
        for _ in range(100):
            await asyncio.sleep(0)
        assert sum(far.received for far in fars) <= MAX_REPLAY_BYTES
        assert PROCESS_BUDGET.held - held_before <= MAX_REPLAY_BYTES + 4 * DATA_CHUNK_BYTES


async def test_link_that_the_agent_lost_is_unknown() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, server):
        server.abort()
        await world.wait_lost()
        other = LinkWorld(hosts.handle_stream)
        async with carrier_pair() as (again, served):
            other.table.serve(served)
            with pytest.raises(LinkEnded) as ended:
                await world.session.attach(again)
        assert ended.value.code == CloseCode.UNKNOWN_LINK


async def test_another_boot_of_the_agent_is_a_restarted_workspace() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, server):
        server.abort()
        await world.wait_lost()
        other = LinkWorld(hosts.handle_stream)
        other.table.boot_id = bytes(reversed(BOOT_ID))
        async with carrier_pair() as (again, served):
            other.table.serve(served)
            with pytest.raises(LinkEnded) as ended:
                await world.session.attach(again)
        assert ended.value.code == CloseCode.WORKSPACE_RESTARTED


async def test_close_reaches_the_agent_with_its_reason() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, client, server):
        await world.session.open_stream("pty")
        world.session.close(CloseCode.NORMAL, "The window was closed.")
        far = hosts.hearers[0]
        await far.until(lambda: bool(far.resets))
        assert far.resets == [(ResetCode.LINK_LOST, "The window was closed.")]
        assert len(world.table) == 0
        assert (await world.session.wait_closed()).code == CloseCode.NORMAL
        await client.wait_closed()
        await server.wait_closed()


async def test_silent_peer_is_given_up_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_carrier, "CLOSE_WITHIN_S", 0.01)
    async with link_world(Hosts().handle_stream) as (world, client, server):
        server.pause_reading()
        now = asyncio.get_running_loop().time()
        world.session.check_time(now + DEAD_AFTER_S / 2 + 1)
        assert world.lost == []
        world.session.check_time(now + DEAD_AFTER_S + 1)
        assert "nothing was heard" in world.lost[0]
        assert not world.session.is_attached
        await client.wait_closed()


async def test_ping_keeps_a_quiet_link() -> None:
    async with link_world(Hosts().handle_stream) as (world, client, _):
        now = asyncio.get_running_loop().time()
        world.session.check_time(now + DEAD_AFTER_S / 2 + 1)
        answer = await world.session.open_stream("pty")
        world.session.check_time(now + DEAD_AFTER_S - 1)
        assert (world.lost, answer.is_over, client.close_code) == ([], False, None)


async def test_link_without_a_carrier_is_kept_for_its_time_only() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream, keep_s=60) as (world, _, server):
        near = StreamHearer(await world.session.open_stream("pty"))
        server.abort()
        await world.wait_lost()
        now = asyncio.get_running_loop().time()
        world.session.check_time(now + 59)
        assert near.resets == []
        world.session.check_time(now + 61)
        assert near.resets[0][0] == ResetCode.LINK_LOST
        assert world.closed[0][0] == CloseCode.EXPIRED


async def test_peer_that_vanishes_while_connecting_is_a_lost_carrier() -> None:
    async with raw_peer(is_server=False) as (client, end):
        end.close()
        with pytest.raises(CarrierLost):
            await LinkSession.connect(client)


async def test_peer_that_speaks_something_else_ends_the_link() -> None:
    async with carrier_pair() as (client, server):
        server.start(Hearer())
        server.send(b"\x88nonsense")
        with pytest.raises(LinkEnded) as ended:
            await LinkSession.connect(client)
    assert ended.value.code == CloseCode.PROTOCOL


async def test_nonsense_inside_the_pipe_ends_the_link() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, _, server):
        near = StreamHearer(await world.session.open_stream("pty"))
        agent_link, _ = next(iter(world.table._links.values()))  # pyright: ignore[reportPrivateUsage]
        agent_link.send([b"\xff\xff\xff\xff\xff\xff\xff\xff\xff"])
        server.send_messages(agent_link.messages_to_send())
        assert (await world.session.wait_closed()).code == CloseCode.PROTOCOL
        assert near.resets[0][0] == ResetCode.LINK_LOST


async def test_peer_that_asks_and_does_not_read_the_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link_session, "MAX_WAITING", 500)
    async with link_world(Hosts().handle_stream) as (world, client, server):
        for carrier, buffer in ((client, socket.SO_RCVBUF), (server, socket.SO_SNDBUF)):
            transport = carrier._transport  # pyright: ignore[reportPrivateUsage]
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, buffer, 4096)
        client.pause_reading()
        async with asyncio.timeout(CEILING_S):
            while world.table._links:  # pyright: ignore[reportPrivateUsage]
                client.send_messages([(encode(Ping(bytes(8))),)] * 1000)
                await asyncio.sleep(0)
    assert "asks, and does not read the answers" in caplog.text


async def test_streams_know_whether_the_link_has_a_carrier() -> None:
    hosts = Hosts()
    async with link_world(hosts.handle_stream) as (world, client, _):
        StreamHearer(await world.session.open_stream("pty"))
        far = hosts.hearers[0]
        heard: list[bool] = []
        changed = asyncio.Event()

        def note(is_attached: bool) -> None:
            heard.append(is_attached)
            changed.set()

        far.stream.watch_carrier(note)
        client.abort()
        await changed.wait()
        assert not far.stream.is_attached
        changed.clear()
        async with carrier_pair() as (again, served):
            world.table.serve(served)
            await world.session.attach(again)
            await changed.wait()
            assert (heard, far.stream.is_attached) == ([False, True], True)


async def test_link_that_is_never_resumed_ends_at_both_ends_with_its_carrier() -> None:
    hosts = Hosts()
    world = LinkWorld(hosts.handle_stream)
    closed: asyncio.Future[LinkEnded] = asyncio.get_running_loop().create_future()
    async with carrier_pair() as (client, server):
        world.table.serve(server)
        session = await LinkSession.connect(client, on_closed=closed.set_result, never_resumes=True)
        near = StreamHearer(await session.open_stream("pty"))
        client._transport.abort()  # pyright: ignore[reportPrivateUsage]  # so that both ends hear of it
        await hosts.hearers[0].until(lambda: bool(hosts.hearers[0].resets))
        assert hosts.hearers[0].resets[0][0] == ResetCode.LINK_LOST
        assert len(world.table) == 0
        assert (await closed).code == CloseCode.EXPIRED
        assert near.resets[0][0] == ResetCode.LINK_LOST
