"""Apps behind the proxy: a real server, a real link to an agent's real streams, and servers of the test as apps."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # its middleware is untyped
from hypercorn.config import Config

from genba_agent.carriers.tcp import TcpStreams
from genba_agent.carriers.unix import UnixStreams
from genba_gateway.apps.front import AppFront
from genba_gateway.domain.app_access import (
    AppAddress,
    AppDecision,
    AppGranted,
    AppOrigin,
    AppRefusal,
    AppRequest,
    AppTarget,
)
from genba_gateway.relay.takeover import install_takeover
from genba_wire.aio.stream import Stream
from tests.support.agent_rows import open_agent_rows
from tests.support.carriers import CEILING_S
from tests.support.session_world import SessionWorld, session_world

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PATH_HOST = "paths.test"
SUBDOMAINS = ".apps.test"
BASE_PATH = "/@alice/demo.main/apps/"


@dataclass
class GrantEverything:
    """An `AppAccess` that lets anybody use the apps that it knows by slug, on `paths.test` and `SLUG.apps.test`."""

    agent_id: str
    urls: dict[str, str] = field(default_factory=dict[str, str])
    decision: AppDecision | None = None
    """In place of a grant."""
    set_cookies: tuple[str, ...] = ()
    sharing_level: str = "owner"
    is_owner: bool = True
    requests: list[AppRequest] = field(default_factory=list[AppRequest])
    known: set[str] = field(default_factory=set[str])
    """Hosts that were decided on before, as a browser with a signed token is known."""
    counted: list[AppTarget] = field(default_factory=list[AppTarget])
    end_reason: str = "You signed out."
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    def classify(self, host: str) -> AppOrigin | None:
        name = host.partition(":")[0].lower()
        if name == PATH_HOST:
            return AppOrigin.PATH
        return AppOrigin.SUBDOMAIN if name.endswith(SUBDOMAINS) else None

    def decide_now(self, request: AppRequest) -> AppDecision | None:
        return self._find(request) if request.host in self.known else None

    async def decide(self, request: AppRequest) -> AppDecision:
        self.known.add(request.host)
        return self._find(request)

    def _find(self, request: AppRequest) -> AppDecision:
        self.requests.append(request)
        if self.decision is not None:
            return self.decision
        if request.origin is AppOrigin.PATH:
            slug = request.raw_path.split("/")[4]
            base = BASE_PATH + slug + "/"
        else:
            slug, base = request.host.partition(".")[0], "/"
        if slug not in self.urls:
            return AppRefusal(404, "No such app", f"There is no app {slug}.")
        address = AppAddress(request.origin, "alice", "demo", "main", slug, base)
        target = AppTarget(
            address, "w", self.agent_id, "b", self.urls[slug], self.sharing_level, "u", "k", self.is_owner
        )
        return AppGranted(target, self.set_cookies)

    async def wait_for_end(self, target: AppTarget) -> str:
        await self.may_end.wait()
        return self.end_reason

    async def explain_silence(self, target: AppTarget) -> AppRefusal:
        return AppRefusal(502, "Not yet", f"Nothing listens at {target.app_url}.", 2)

    def count_request(self, target: AppTarget) -> None:
        self.counted.append(target)


@dataclass
class AppWorld:
    """What a test asks, and what it sees behind it."""

    port: int
    access: GrantEverything
    front: AppFront
    sessions: SessionWorld
    tls: ssl.SSLContext | None
    shutdown: asyncio.Event = field(default_factory=asyncio.Event)
    inner: list[Any] = field(default_factory=list[Any])
    """Scopes that came to the application behind the front."""

    @property
    def is_at_rest(self) -> bool:
        """Whether no connection to an app is in use."""
        return not self.front._means.pool._open  # pyright: ignore[reportPrivateUsage]

    @asynccontextmanager
    async def app(
        self, serve: Serve, slug: str = "app", *, certificate: ssl.SSLContext | None = None
    ) -> AsyncGenerator[RawApp]:
        """Serve connections as an app of this name."""
        app = RawApp(serve)
        server = await asyncio.start_server(app.run, "127.0.0.1", 0, ssl=certificate, limit=1 << 20)
        port = server.sockets[0].getsockname()[1]
        self.access.urls[slug] = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        try:
            yield app
        finally:
            server.close()
            app.abort()
            await app.wait_done()

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[RawClient]:
        """A browser's connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls, limit=1 << 20)
        try:
            yield RawClient(reader, writer)
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def ask(self, request: bytes) -> Answer:
        """Send one request on a connection of its own and read the answer."""
        async with self.connect() as client:
            return await client.ask(request)


class RawApp:
    """An app that the test plays, byte by byte."""

    def __init__(self, serve: Serve) -> None:
        self.connections = 0
        self.writers: list[asyncio.StreamWriter] = []
        self._serve = serve
        self._idle = asyncio.Event()
        self._idle.set()
        self._running = 0

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._running += 1
        self._idle.clear()
        self.writers.append(writer)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._running -= 1
            if not self._running:
                self._idle.set()

    def abort(self) -> None:
        """Drop all connections."""
        for writer in self.writers:
            if not writer.transport.is_closing():
                writer.transport.abort()

    async def wait_done(self) -> None:
        """Return when no connection is served."""
        async with asyncio.timeout(CEILING_S):
            await self._idle.wait()


@dataclass
class Answer:
    """An answer of HTTP/1.1."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    is_whole: bool = True
    trailers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def get(self, name: str) -> str:
        """The values of a header, joined; empty when it is not there."""
        return ", ".join(self.all(name))

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for each, value in self.headers if each.lower() == name.lower()]


class RawClient:
    """A connection whose bytes the test writes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(CEILING_S):
            await self.writer.drain()

    async def ask(self, request: bytes, *, is_head: bool = False) -> Answer:
        """Send and read one answer."""
        await self.send(request)
        return await self.read_answer(is_head=is_head)

    async def read_head(self) -> Answer:
        """Read an answer's head."""
        async with asyncio.timeout(CEILING_S):
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.split("\r\n")[:-2]
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return Answer(int(first.split()[1]), headers, b"")

    async def read_answer(self, *, is_head: bool = False) -> Answer:
        """Read one answer, as far as it goes."""
        answer = await self.read_head()
        while answer.status == 100:
            answer = await self.read_head()
        if is_head or answer.status in (204, 304):
            return answer
        try:
            async with asyncio.timeout(CEILING_S):
                if answer.get("Transfer-Encoding") == "chunked":
                    await self._read_chunks(answer)
                elif length := answer.get("Content-Length"):
                    answer.body = await self.reader.readexactly(int(length))
                else:
                    answer.body = await self.reader.read()
        except asyncio.IncompleteReadError as error:
            answer.body += error.partial
            answer.is_whole = False
        except ConnectionError:
            answer.is_whole = False
        return answer

    async def _read_chunks(self, answer: Answer) -> None:
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            answer.body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        while (line := await self.reader.readuntil(b"\r\n")) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            answer.trailers.append((name, value.strip()))


def get(path: str = "/", *lines: str, host: str = "app" + SUBDOMAINS, method: str = "GET", body: bytes = b"") -> bytes:
    """A request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode("latin-1") + body


async def read_request(reader: asyncio.StreamReader) -> tuple[str, list[tuple[str, str]]]:
    """Read the head of a request as an app; raises IncompleteReadError when there is none."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = text.split("\r\n")[:-2]
    return first, [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


@asynccontextmanager
async def app_world(folder: Path, certificate: tuple[Path, Path] | None = None) -> AsyncGenerator[AppWorld]:
    """Serve on a free port of loopback; at the end shut down as the gateway does, which has to succeed."""
    install_takeover()
    streams: dict[str, Any] = {}

    def handle(kind: str, head: bytes, stream: Stream) -> None:
        streams[kind].handle_stream(kind, head, stream)

    async with (
        open_agent_rows(folder) as rows,
        session_world(rows, handle) as sessions,
        asyncio.TaskGroup() as agent_tasks,
    ):
        streams |= {"tcp": TcpStreams(agent_tasks), "unix": UnixStreams(agent_tasks)}
        async with _served(sessions, certificate) as world:
            yield world


@asynccontextmanager
async def _served(sessions: SessionWorld, certificate: tuple[Path, Path] | None) -> AsyncGenerator[AppWorld]:
    inner: list[Any] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for answer in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{answer}.complete"})
            return
        inner.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"dashboard"})

    access = GrantEverything(sessions.agent.actor.agent_id)
    scheme = "https" if certificate else "http"
    front = AppFront(
        behind, classify=access.classify, access=access, links=sessions.links, scheme_of=lambda _origin: scheme
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = Config()
        config.bind = [f"fd://{os.dup(listener.fileno())}"]
        config.graceful_timeout = CEILING_S
        config.accesslog = None
        config.include_server_header = False
        if certificate:
            config.certfile, config.keyfile = map(str, certificate)
        tls = ssl.create_default_context(cafile=certificate[0]) if certificate else None
        world = AppWorld(listener.getsockname()[1], access, front, sessions, tls, inner=inner)

        async def until_shutdown() -> None:
            await world.shutdown.wait()

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(front.run())
            server = tasks.create_task(serve(front, config, shutdown_trigger=until_shutdown))
            try:
                yield world
            finally:
                world.shutdown.set()
                async with asyncio.timeout(CEILING_S):
                    await server
                running.cancel()
