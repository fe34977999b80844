from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import cast

import httpx
import hypercorn.asyncio.run
import pytest
from hypercorn.asyncio.tcp_server import TCPServer
from quart import Quart, Response, request

from genba_gateway.relay import taken_transport, takeover
from genba_gateway.relay.http_answers import abort_connection
from genba_gateway.relay.taken_transport import EARLY_BYTES, TakenTransport
from genba_gateway.relay.takeover import TakeableServer, install_takeover, take_transport
from tests.support.carriers import CEILING_S, read_raw, send_raw
from tests.support.http_server import served
from tests.support.raw_websocket import make_frame, open_raw
from tests.support.relay_app import serve_relay, switch_takeover
from tests.support.session_world import taken_pair
from tests.support.tls import make_server_tls
from tests.support.waiting import turned_until


class Losing(asyncio.Protocol):
    """Tells the taken transport of its loss, as a new owner has to."""

    taken: TakenTransport

    def connection_lost(self, exc: Exception | None) -> None:
        self.taken.lost()


async def take_socket(end: socket.socket, early: bytes = b"") -> tuple[TakenTransport, list[str]]:
    told: list[str] = []
    transport, protocol = await asyncio.get_running_loop().create_connection(Losing, sock=end)
    protocol.taken = TakenTransport(transport, early, lambda: told.append("lost"))
    return protocol.taken, told


async def test_the_loss_is_forwarded_once() -> None:
    near, far = socket.socketpair()
    with far:
        taken, told = await take_socket(near)
        await taken.wind_up()
        taken.lost()
    assert told == ["lost"]


async def test_early_bytes_are_given_once() -> None:
    near, far = socket.socketpair()
    with far:
        taken, _ = await take_socket(near, b"early")
        assert (taken.take_early(), taken.take_early()) == (b"early", b"")
        await taken.wind_up()


async def test_a_transport_without_an_owner_says_why_it_closes() -> None:
    near, far = socket.socketpair()
    far.setblocking(False)
    with far:
        taken, _ = await take_socket(near)
        taken.close(4001, "go")
        taken.close(4002, "again")
        assert await read_raw(far, 100) == make_frame(b"\x0f\xa1go", opcode=8, masked=False)
        await taken.wind_up()


async def test_a_transport_whose_peer_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taken_transport, "CLOSE_S", 0.01)
    near, far = socket.socketpair()
    with far:
        taken, told = await take_socket(near)
        taken.transport.write(bytes(8 * 1024 * 1024))
        async with asyncio.timeout(CEILING_S):
            await taken.wind_up()
    assert told == ["lost"]


@pytest.mark.parametrize(
    "scope",
    [
        {"headers": [], "http_version": "1.1"},
        {"headers": [], "http_version": "1.1", "state": {}},
        {"headers": [], "http_version": "1.1", "state": {"genba.connection": object()}},
    ],
)
def test_a_websocket_of_another_server_is_not_taken(scope: dict[str, object]) -> None:
    assert take_transport(scope) is None
    abort_connection(scope)


def test_another_version_of_hypercorn_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hypercorn.asyncio.run, "TCPServer", TCPServer)
    monkeypatch.setattr(takeover, "_FOUND_HYPERCORN", "0.19.0")
    with caplog.at_level(logging.WARNING):
        install_takeover()
    assert hypercorn.asyncio.run.TCPServer is TCPServer  # type: ignore[attr-defined]  # no list of exports
    assert "0.19.0" in caplog.text


async def test_a_connection_is_taken_only_as_an_accepted_websocket_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    servers: list[TakeableServer] = []
    taken: list[TakenTransport | None] = []
    take = TakeableServer.take

    def note(server: TakeableServer) -> TakenTransport | None:
        servers.append(server)
        taken.append(take(server))
        return taken[-1]

    monkeypatch.setattr(TakeableServer, "take", note)
    async with serve_relay() as app, open_raw(app.port, "/echo") as client:
        await client.send(b"x")
        await client.receive()
        assert taken[0] is not None
        assert take(servers[0]) is None


async def test_bytes_that_hypercorn_has_read_make_it_keep_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    async with serve_relay() as app, open_raw(app.port, "/slow-to-take") as client:
        await client.send(b"read by Hypercorn")
        # The handler takes only after it has seen this message.
        frame = await client.receive()
        assert frame.payload == b"not taken"


def note_early(taken: TakenTransport, monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """Return where everything is noted that comes before the session."""
    noted = bytearray()
    take = taken.take_early_bytes

    def note(data: bytes) -> None:
        noted.extend(data)
        take(data)

    monkeypatch.setattr(taken, "take_early_bytes", note)
    return noted


async def test_what_a_peer_sends_before_its_session_is_kept_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with taken_pair() as (taken, peer), asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(taken.wait_until_left())
        early = note_early(taken, monkeypatch)
        await send_raw(peer, bytes(EARLY_BYTES - 1))
        await turned_until(lambda: len(early) == EARLY_BYTES - 1)
        assert taken.transport.is_reading()
        await send_raw(peer, b"x")
        await turned_until(lambda: not taken.transport.is_reading())
        watching.cancel()
        assert len(taken.take_early()) == EARLY_BYTES


@pytest.mark.parametrize("is_abrupt", [False, True])
async def test_a_peer_that_leaves_before_its_session_is_noticed(is_abrupt: bool) -> None:
    async with taken_pair() as (taken, peer), asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(taken.wait_until_left())
        await send_raw(peer, b"x")
        if is_abrupt:
            peer.close()
        else:
            peer.shutdown(socket.SHUT_WR)
        await watching


async def test_a_transport_is_paused_again_for_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    async with taken_pair() as (taken, peer), asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(taken.wait_until_left())
        early = note_early(taken, monkeypatch)
        await send_raw(peer, b"early")
        await turned_until(lambda: bytes(early) == b"early")
        watching.cancel()
        await asyncio.wait([watching])
        assert not taken.transport.is_reading()
        assert taken.take_early() == b"early"


async def test_an_answer_that_nobody_reads_is_dropped_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_takeover(monkeypatch, is_on=True)
    connections: list[socket.socket] = []
    app = Quart("unread", static_folder=None)

    @app.get("/")
    async def answer() -> Response:
        server = cast("TakeableServer", request.scope["state"]["genba.connection"])
        connections.append(server.writer.get_extra_info("socket"))
        return Response(write_unread(cast("Mapping[str, object]", request.scope)))

    async with asyncio.timeout(CEILING_S), served(app, asyncio.Event()) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port, limit=1)
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await turned_until(lambda: bool(connections) and connections[0].fileno() == -1)
        writer.transport.abort()


async def write_unread(scope: Mapping[str, object]) -> AsyncGenerator[bytes]:
    """Write for as long as there is room, and drop the connection then."""
    try:
        async with asyncio.timeout(0.02):
            while True:
                yield bytes(1024 * 1024)
    finally:
        abort_connection(scope)


async def test_an_idle_client_that_says_no_goodbye_to_tls_does_not_hold_up_a_shutdown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    switch_takeover(monkeypatch, is_on=True)
    monkeypatch.setattr(takeover, "CLOSE_S", 0.05)
    certificate = await asyncio.to_thread(make_server_tls, tmp_path)
    context = await asyncio.to_thread(ssl.create_default_context, cafile=str(certificate[0]))
    # It keeps its connection for the next request, as all that use this library do.
    async with httpx.AsyncClient(verify=context, trust_env=False) as client, serve_relay(certificate) as app:
        assert (await client.get(f"https://127.0.0.1:{app.port}/plain")).text == "plain"
