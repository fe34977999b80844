"""A small Quart app served by a real Hypercorn, whose websockets are ends of relayed sessions."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import hypercorn.asyncio.run
import pytest
from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # its middleware is untyped
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from quart import Quart, websocket

from genba_gateway.api.streams import MessageSocket, serve_messages
from genba_gateway.relay.ends import End, carrier_of
from genba_gateway.relay.joint import JoinEnd, Joint
from genba_gateway.relay.quart_end import accepted_end, make_websockets_pausable
from genba_gateway.relay.rendezvous import Rendezvous
from genba_gateway.relay.splice import make_joint
from genba_gateway.relay.taken_transport import TakenTransport
from genba_gateway.relay.takeover import TakeableServer, install_takeover, take_transport
from tests.support.carriers import CEILING_S, Hearer

PING_S = 0.02
"""Hypercorn's pings come so often that one would be seen."""

TOO_MUCH_BYTES = 32 * 1024 * 1024
"""More than the sockets of a connection hold."""


@dataclass
class RelayApp:
    """What the handlers see, and when they go on."""

    port: int
    tls: ssl.SSLContext | None
    """For clients; None without TLS."""
    rendezvous: Rendezvous = field(default_factory=Rendezvous)
    may_take: asyncio.Event = field(default_factory=asyncio.Event)
    """Handlers of `/late` accept at once and go on when it is set."""
    shutdown: asyncio.Event = field(default_factory=asyncio.Event)
    taken: list[bool] = field(default_factory=list[bool])
    """Of each end, in the order they came: whether its transport was taken."""
    joints: asyncio.Queue[Joint] = field(default_factory=asyncio.Queue[Joint])
    joined: asyncio.Queue[JoinEnd | None] = field(default_factory=asyncio.Queue[JoinEnd | None])
    """How sessions ended; None for one whose handler was cancelled."""
    ends: list[End] = field(default_factory=list[End])
    served: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the handler of `/stuck` is done."""

    @property
    def url(self) -> str:
        """Of websockets."""
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.port}"


def switch_takeover(monkeypatch: pytest.MonkeyPatch, *, is_on: bool) -> None:
    """Serve with the relay's subclass, or with Hypercorn's own class, until the test's end."""
    monkeypatch.setattr(hypercorn.asyncio.run, "TCPServer", TCPServer)
    if is_on:
        install_takeover()
        assert hypercorn.asyncio.run.TCPServer is TakeableServer  # type: ignore[attr-defined]  # no list of exports


@asynccontextmanager
async def serve_relay(certificate: tuple[Path, Path] | None = None) -> AsyncGenerator[RelayApp]:
    """Serve on a free port of loopback; at the end shut down as the gateway does, which has to succeed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tls = ssl.create_default_context(cafile=certificate[0]) if certificate else None
        app = RelayApp(listener.getsockname()[1], tls)
        config = Config()
        config.bind = [f"fd://{os.dup(listener.fileno())}"]
        config.websocket_ping_interval = PING_S
        config.graceful_timeout = CEILING_S
        config.accesslog = None
        if certificate:
            config.certfile, config.keyfile = map(str, certificate)
        framework: ASGIFramework = make_app(app)

        async def until_shutdown() -> None:
            await app.shutdown.wait()

        async with asyncio.TaskGroup() as tasks:
            server = tasks.create_task(serve(framework, config, shutdown_trigger=until_shutdown))
            try:
                yield app
            finally:
                app.shutdown.set()
                async with asyncio.timeout(CEILING_S):
                    await server


def make_app(app: RelayApp) -> Quart:
    """Routes of a client's and an agent's end, an echo that the gateway is a party of, and an ordinary one."""
    quart = Quart("relay_test", static_folder=None)
    make_websockets_pausable(quart)

    @quart.get("/plain")
    async def plain() -> str:
        return "plain"

    @quart.websocket("/kept")
    async def kept() -> None:
        await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # untyped headers
        await websocket.receive()

    @quart.websocket("/client/<nonce>")
    async def client(nonce: str) -> None:
        joined: JoinEnd | None = None
        async with accepted_end(websocket) as end, app.rendezvous.expect(nonce, "agent") as waiting:
            _note(app, end)
            joint = make_joint(end, await waiting.arrive(CEILING_S))
            app.joints.put_nowait(joint)
            try:
                joined = await joint.run()
            finally:
                app.joined.put_nowait(joined)

    @quart.websocket("/agent/<nonce>")
    async def agent(nonce: str) -> None:
        async with accepted_end(websocket) as end:
            _note(app, end)
            await app.rendezvous.deliver(nonce, "agent", end)

    @quart.websocket("/late")
    async def late() -> None:
        async with accepted_end(websocket) as end:
            _note(app, end)
            await app.may_take.wait()
            await _echo(end)

    @quart.websocket("/slow-to-take")
    async def slow_to_take() -> None:
        await websocket.receive()
        taken = take_transport(websocket.scope)
        await websocket.send(b"not taken" if taken is None else b"taken")

    @quart.websocket("/stuck")
    async def stuck() -> None:
        await serve_messages(_send_too_much)
        app.served.set()

    @quart.websocket("/echo")
    async def echo() -> None:
        async with accepted_end(websocket) as end:
            _note(app, end)
            await _echo(end)

    return quart


def _note(app: RelayApp, end: End) -> None:
    app.taken.append(isinstance(end, TakenTransport))
    app.ends.append(end)


async def _echo(end: End) -> None:
    carrier = carrier_of(end)
    echo = _Echo(carrier.send)
    carrier.start(echo)
    await echo.wait_lost()


async def _send_too_much(messages: MessageSocket) -> tuple[int, str]:
    with suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await messages.send(bytes(TOO_MUCH_BYTES))
    return 4002, "stuck"


class _Echo(Hearer):
    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__()
        self._send = send

    def message_received(self, message: memoryview | bytes) -> None:
        self._send(bytes(message))
