"""Relayed sessions through a real Hypercorn, the fast way (its transport taken) and the slower one (over Quart)."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import deque
from collections.abc import Callable

import httpx
import pytest
from websockets.asyncio.client import connect

from genba_gateway.relay.quart_end import QuartCarrier
from genba_gateway.relay.taken_transport import TakenTransport
from genba_wire.websocket_frames import Opcode
from tests.support.raw_websocket import RawWebSocket, make_frame, open_raw
from tests.support.relay_app import RelayApp, serve_relay, switch_takeover
from tests.support.relay_sessions import library_session, raw_session
from tests.support.waiting import eventually

MIB = 1024 * 1024


async def test_bytes_pass_both_ways_whatever_the_mask_key(any_relay: RelayApp) -> None:
    async with library_session(any_relay) as (client, agent):
        for size in (0, 1, 125, 126, 65535, 65536, 300_000):
            block = os.urandom(size)
            await client.send(block)
            assert await agent.recv() == block
            await agent.send(block)
            assert await client.recv() == block
    ended = await any_relay.joined.get()
    if ended is not None:
        assert ended.bytes_from_a >= 300_000 <= ended.bytes_from_b


async def test_frames_of_key_zero_arrive_unmasked(relay: RelayApp) -> None:
    async with raw_session(relay) as (client, agent):
        await client.send(b"hello agent")
        assert (await agent.receive()).payload == b"hello agent"
        await agent.send(b"hello client", key=b"\x01\x02\x03\x04")
        assert (await client.receive()).payload == b"hello client"


async def test_a_connection_that_carried_a_request_before_is_relayed(any_relay: RelayApp) -> None:
    request = b"GET /plain HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with (
        open_raw(any_relay.port, "/client/n", tls=any_relay.tls, first=request) as client,
        open_raw(any_relay.port, "/agent/n", tls=any_relay.tls, first=request) as agent,
    ):
        await client.send(b"over a used connection")
        assert (await agent.receive()).payload == b"over a used connection"


async def test_ordinary_requests_share_a_connection_beside_sessions(any_relay: RelayApp) -> None:
    scheme = "https" if any_relay.tls else "http"
    async with raw_session(any_relay) as (client, agent), httpx.AsyncClient(verify=any_relay.tls or True) as http:
        await client.send(b"x")
        await agent.receive()
        for _ in range(3):
            answer = await http.get(f"{scheme}://127.0.0.1:{any_relay.port}/plain")
            assert answer.text == "plain"


async def test_what_comes_before_the_handler_goes_on_is_not_lost(any_relay: RelayApp) -> None:
    early = [os.urandom(size) for size in (3, 40_000, 200_000)]
    async with open_raw(any_relay.port, "/late", tls=any_relay.tls) as client, asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(client.write(b"".join(map(make_frame, early))))
        any_relay.may_take.set()
        for block in early:
            frame = await client.receive()
            assert frame.payload == block
        await sending


async def test_what_a_client_sends_before_its_agent_is_there_arrives(relay: RelayApp) -> None:
    blocks = [os.urandom(30_000) for _ in range(5)]
    async with open_raw(relay.port, "/client/n") as client:
        for block in blocks:
            await client.send(block)
        async with open_raw(relay.port, "/agent/n") as agent:
            for block in blocks:
                assert (await agent.receive()).payload == block


async def test_fragments_arrive_as_one_message(relay: RelayApp) -> None:
    async with (
        open_raw(relay.port, "/client/n") as client,
        connect(f"{relay.url}/agent/n", compression=None, proxy=None) as agent,
    ):
        await client.write(make_frame(b"one ", fin=False, key=b"abcd"))
        await client.write(make_frame(b"two ", fin=False, opcode=Opcode.CONTINUATION))
        await client.write(make_frame(b"three", opcode=Opcode.CONTINUATION, key=b"wxyz"))
        assert await agent.recv() == b"one two three"


async def test_frames_that_come_byte_by_byte_arrive(relay: RelayApp) -> None:
    async with raw_session(relay) as (client, agent):
        data = b"".join(make_frame(os.urandom(n), key=b"\x00\x10\x20\x30") for n in (0, 5, 130))
        for position in range(len(data)):
            await client.write(data[position : position + 1])
        assert [len((await agent.receive()).payload) for _ in range(3)] == [0, 5, 130]


async def test_sixteen_mebibytes_each_way_at_once_arrive_unchanged(any_relay: RelayApp) -> None:
    blocks = [os.urandom(64 * 1024) for _ in range(16)]

    async def send_all(end: RawWebSocket) -> None:
        for number in range(256):
            await end.send(blocks[number % 16])

    async def digest_all(end: RawWebSocket) -> str:
        digest = hashlib.sha256()
        received = 0
        while received < 16 * MIB:
            payload = (await end.receive()).payload
            received += len(payload)
            digest.update(payload)
        return digest.hexdigest()

    expected = hashlib.sha256(b"".join(blocks) * 16).hexdigest()
    async with raw_session(any_relay) as (client, agent), asyncio.TaskGroup() as tasks:
        for end in (client, agent):
            tasks.create_task(send_all(end))
        digests = [tasks.create_task(digest_all(end)) for end in (client, agent)]
    assert [each.result() for each in digests] == [expected, expected]


async def test_a_slow_reader_slows_the_sender_down(relay: RelayApp) -> None:
    total = 96 * MIB
    block = make_frame(bytes(64 * 1024))
    count = total // (64 * 1024)
    sent = 0

    async def send_all(end: RawWebSocket) -> None:
        nonlocal sent
        for _ in range(count):
            end.writer.write(block)
            await end.writer.drain()
            sent += len(block)

    async with raw_session(relay, limit=1024) as (client, agent), asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(send_all(client))
        await _until_stalled(lambda: sent)
        assert sent < total // 2, "what nobody reads has to stay with its sender"
        assert max(map(_count_kept, relay.ends)) < MIB
        received = 0
        while received < total:
            received += len((await agent.receive()).payload)
        await sending


async def test_compression_that_a_client_offers_is_declined_so_that_it_goes_the_fast_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with (
        serve_relay() as app,
        connect(f"{app.url}/client/n", compression="deflate", proxy=None) as client,
        connect(f"{app.url}/agent/n", compression=None, proxy=None) as agent,
    ):
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers
        await client.send(b"squeezed " * 1000)
        assert await agent.recv() == b"squeezed " * 1000
        await agent.send(b"back " * 1000)
        assert await client.recv() == b"back " * 1000
        assert app.taken == [True, True]


async def test_hypercorns_pings_do_not_reach_a_taken_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with (
        serve_relay() as app,
        raw_session(app) as (client, agent),
        open_raw(app.port, "/kept") as left,
    ):
        # A connection that Hypercorn kept shows how often it pings; it was opened last.
        for _ in range(10):
            assert (await left.receive_any()).opcode == Opcode.PING
        await client.send(b"to")
        assert (await agent.receive_any()).opcode == Opcode.BINARY
        await agent.send(b"fro")
        assert (await client.receive_any()).opcode == Opcode.BINARY


async def test_pings_of_an_end_reach_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with serve_relay() as app, raw_session(app) as (client, agent):
        await client.write(make_frame(b"are you there", opcode=Opcode.PING))
        frame = await agent.receive_any()
        assert (frame.opcode, frame.payload) == (Opcode.PING, b"are you there")


async def test_the_gateway_itself_is_a_party(any_relay: RelayApp) -> None:
    async with connect(f"{any_relay.url}/echo", ssl=any_relay.tls, compression=None, proxy=None) as client:
        for size in (0, 10, 200_000):
            block = os.urandom(size)
            await client.send(block)
            assert await client.recv() == block


def _count_kept(end: object) -> int:
    """Bytes that the gateway keeps for an end that does not take them."""
    if isinstance(end, TakenTransport):
        return end.transport.get_write_buffer_size()
    assert isinstance(end, QuartCarrier)
    return end.kept_bytes


async def _until_stalled(measure: Callable[[], int]) -> None:
    """Return once the measure is above 0 and has not changed over many looks."""
    seen: deque[int] = deque(maxlen=50)

    def is_stalled() -> bool:
        seen.append(measure())
        return len(seen) == seen.maxlen and seen[0] == seen[-1] > 0

    await eventually(is_stalled)
