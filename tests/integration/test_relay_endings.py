"""How relayed sessions end: closed by an end, by the gateway, or by a loss; both ways."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from genba_wire.websocket_frames import Opcode
from tests.support.raw_websocket import make_frame, open_raw
from tests.support.relay_app import RelayApp, serve_relay, switch_takeover
from tests.support.relay_sessions import library_session, raw_session
from tests.support.tls import make_server_tls


async def test_an_end_that_vanishes_ends_the_other(any_relay: RelayApp) -> None:
    for leaver in (0, 1):
        async with raw_session(any_relay) as ends:
            await ends[0].send(b"x")
            await ends[1].receive()
            ends[leaver].abort()
            goodbye = await ends[1 - leaver].receive()
            assert goodbye.opcode == Opcode.CLOSE
            assert goodbye.payload[:2] == (1001).to_bytes(2, "big")
            assert await ends[1 - leaver].read_to_end() == b""


async def test_an_end_that_vanishes_within_a_frame_drops_the_other(relay: RelayApp, is_taken: bool) -> None:
    async with raw_session(relay) as (client, agent):
        await client.write(make_frame(bytes(100_000))[:50_000])
        if is_taken:
            assert (await agent.reader.readexactly(1))[0] == 0x82
        client.abort()
        left = await agent.read_to_end()
    # The slower way passes whole messages only, so that the half frame is not seen and a close frame can be sent.
    assert len(left) < 50_000 if is_taken else b"\x88" in left


async def test_close_frames_pass_from_end_to_end(any_relay: RelayApp, is_taken: bool) -> None:
    async with library_session(any_relay) as (client, agent):
        await client.send(b"x")
        await agent.recv()
        await client.close(4321, "because")
        with pytest.raises(ConnectionClosed) as closed:
            await agent.recv()
    assert closed.value.rcvd is not None
    # Quart does not tell with which code a peer closed.
    assert closed.value.rcvd.code == (4321 if is_taken else 1001)


async def test_a_session_that_is_closed_from_outside_tells_both_ends_why(any_relay: RelayApp) -> None:
    async with library_session(any_relay) as (client, agent):
        joint = await any_relay.joints.get()
        joint.close(4001, "You were signed out.")
        for end in (client, agent):
            with pytest.raises(ConnectionClosed) as closed:
                await end.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "You were signed out.")
        ended = await any_relay.joined.get()
    assert ended is None or ended.reason == "You were signed out."


async def test_a_session_closed_within_a_frame_is_closed_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with serve_relay() as app, raw_session(app) as (client, agent):
        payload = os.urandom(100_000)
        frame = make_frame(payload)
        await client.write(frame[:60_000])
        head = await agent.reader.readexactly(10)
        joint = await app.joints.get()
        joint.close(4001, "revoked")
        # The client has its close frame, and finishes what it had begun; another frame is not passed on.
        assert (await client.receive()).opcode == Opcode.CLOSE
        await client.write(frame[60_000:] + make_frame(b"too late"))
        assert head[:2] == b"\x82\x7f"
        assert await agent.reader.readexactly(len(payload)) == payload
        goodbye = await agent.receive()
        assert (goodbye.opcode, goodbye.payload) == (Opcode.CLOSE, (4001).to_bytes(2, "big") + b"revoked")
        assert await agent.read_to_end() == b""


async def test_a_session_closed_within_a_frame_that_never_ends_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with serve_relay() as app, raw_session(app) as (client, agent):
        await client.write(make_frame(bytes(100_000))[:50_000])
        await agent.reader.readexactly(10)
        joint = await app.joints.get()
        joint.close(4001, "revoked")
        assert len(await agent.read_to_end()) < 100_000
        await client.read_to_end()


async def test_text_ends_a_session_over_quart(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=False)
    async with serve_relay() as app, connect(f"{app.url}/echo", compression=None, proxy=None) as client:
        await client.send("text")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1003


async def test_the_servers_shutdown_ends_sessions_at_once(is_taken: bool, tmp_path: Path) -> None:
    for certificate in (None, make_server_tls(tmp_path)):
        async with serve_relay(certificate) as app, raw_session(app) as (client, agent):
            await client.send(b"x")
            await agent.receive()
            app.shutdown.set()
            if is_taken:
                for end in (client, agent):
                    frame = await end.receive()
                    assert (frame.opcode, frame.payload[:2]) == (Opcode.CLOSE, (1012).to_bytes(2, "big"))
                    await end.write(make_frame(frame.payload, opcode=Opcode.CLOSE))
                    await end.read_to_end()


async def test_sessions_whose_ends_are_silent_do_not_hold_up_the_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with AsyncExitStack() as outlives:
        async with serve_relay() as app:
            for name in ("/client/n", "/agent/n", "/client/alone", "/late", "/echo"):
                await outlives.enter_async_context(open_raw(app.port, name))
            await app.joints.get()
        # Here `serve` has returned, although no end has closed anything.
        assert app.taken == [True] * 5


async def test_an_end_that_breaks_the_protocol_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with serve_relay() as app, raw_session(app) as (client, agent):
        await client.write(make_frame(b"not masked", masked=False))
        frame = await agent.receive()
        assert (frame.opcode, frame.payload[:2]) == (Opcode.CLOSE, (1002).to_bytes(2, "big"))
        ended = await app.joined.get()
        assert ended is None or "not masked" in ended.reason


async def test_hypercorn_learns_of_each_loss_once(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    told: list[asyncio.StreamReaderProtocol] = []
    tell = asyncio.StreamReaderProtocol.connection_lost

    def count(protocol: asyncio.StreamReaderProtocol, error: Exception | None) -> None:
        if getattr(protocol, "_client_connected_cb", None) is not None:  # a server's
            told.append(protocol)
        tell(protocol, error)

    monkeypatch.setattr(asyncio.StreamReaderProtocol, "connection_lost", count)
    async with serve_relay() as app:
        async with raw_session(app) as (client, agent):
            await client.send(b"x")
            await agent.receive()
            client.abort()
            await agent.read_to_end()
        async with open_raw(app.port, "/echo") as echo:
            await echo.send(b"x")
            await echo.receive()
    assert len(told) == 3 == len(set(told))
