"""The websocket server on the loopback interface that carries the bytes of logs and terminals (docs/bridge.md).

LSP carries control only: a terminal that prints megabytes must not delay a request. A stream is prepared by a request,
which answers with its address and a token that works once; nothing is done for it before the editor comes with both.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import msgspec
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from genba_ide_bridge.lsp.loopback import CLOSE_TIMEOUT_S, is_token, make_token, port_of, refuse_strangers
from genba_ide_bridge.lsp.messages import StreamResult, StreamToken

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

TOKEN_LIFE_S: Final = 30.0
"""An editor connects within milliseconds; this is for one that was suspended in between."""

TOKEN_MESSAGE_S: Final = 10.0
"""How long a connected client may take to send its token."""

MAX_INPUT_BYTES: Final = 1024 * 1024
"""The largest message of an editor: what is pasted into a terminal at once."""

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
FAILED: Final = 1011
WRONG_TOKEN: Final = 4001

_PATH: Final = "/streams/"

StreamHandler = Callable[["ServerConnection"], Awaitable[None]]
"""Serves one editor's connection until there is nothing more, or until the connection is closed."""

log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.websockets")
_quiet.setLevel(logging.CRITICAL)  # the library logs tracebacks of strangers' failed handshakes


@dataclass(eq=False, slots=True)
class _Stream:
    name: str
    token: str = field(repr=False)
    expires_at: float
    handler: StreamHandler = field(repr=False)
    is_taken: bool = False
    task: asyncio.Task[None] | None = None


class BulkServer:
    """Listens while it is used as an async context manager."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._streams: dict[str, _Stream] = {}
        self._server: Server | None = None
        self._address = ""

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            0,
            process_request=self._check_request,
            compression=None,
            max_size=MAX_INPUT_BYTES,
            close_timeout=CLOSE_TIMEOUT_S,
            server_header=None,
            logger=_quiet,
        )
        self._address = f"127.0.0.1:{port_of(self._server)}"
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close_all()
        if self._server is not None:
            self._server.close(code=GOING_AWAY, reason="the bridge ends")
            await self._server.wait_closed()

    def open(self, handler: StreamHandler, reconnect: str = "") -> StreamResult:
        """Prepare a stream; `handler` is called once the editor has connected with the token."""
        self._forget_expired()
        stream = _Stream(str(uuid.uuid4()), make_token(), self._now() + TOKEN_LIFE_S, handler)
        self._streams[stream.name] = stream
        url = f"ws://{self._address}{_PATH}{stream.name}"
        return StreamResult(id=stream.name, url=url, token=stream.token, reconnect=reconnect)

    def close(self, name: str) -> None:
        """End a stream, connected or not. An unknown one is no error: it may just have ended."""
        stream = self._streams.pop(name, None)
        if stream is not None and stream.task is not None:
            stream.task.cancel()

    def close_all(self) -> None:
        """End all streams."""
        for name in list(self._streams):
            self.close(name)

    def _forget_expired(self) -> None:
        now = self._now()
        self._streams = {
            name: stream for name, stream in self._streams.items() if stream.is_taken or stream.expires_at > now
        }

    def _check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        refusal = refuse_strangers(request.headers, self._address)
        if refusal is None and self._find_waiting(request.path) is None:
            refusal = HTTPStatus.NOT_FOUND, "There is no such stream, or not any more.\n"
        return connection.respond(*refusal) if refusal is not None else None

    def _find_waiting(self, path: str) -> _Stream | None:
        self._forget_expired()
        stream = self._streams.get(path.removeprefix(_PATH))
        return None if stream is None or stream.is_taken else stream

    async def _serve(self, connection: ServerConnection) -> None:
        request = connection.request
        stream = self._find_waiting(request.path) if request is not None else None
        if stream is None:
            await connection.close(WRONG_TOKEN, "there is no such stream any more")
            return
        stream.is_taken = True
        try:
            code, reason = await self._run(stream, connection)
        finally:
            self._streams.pop(stream.name, None)
        await connection.close(code, reason)

    async def _run(self, stream: _Stream, connection: ServerConnection) -> tuple[int, str]:
        """Serve the stream to its end; returns the code and reason to close with."""
        codes: list[tuple[int, str]] = []

        async def work() -> None:
            codes.append(await _check_token(stream, connection) or await _handle(stream, connection))

        async with asyncio.TaskGroup() as group:
            # A task of its own, so that `close` can cancel it and this connection still says goodbye.
            stream.task = group.create_task(work(), name=f"stream {stream.name}")
        return codes[0] if codes else (GOING_AWAY, "the stream was closed")


async def _check_token(stream: _Stream, connection: ServerConnection) -> tuple[int, str] | None:
    try:
        async with asyncio.timeout(TOKEN_MESSAGE_S):
            first = await connection.recv()
        given = msgspec.json.decode(first, type=StreamToken).token
    except (TimeoutError, ConnectionClosed, msgspec.MsgspecError):
        return WRONG_TOKEN, "the first message is not a token"
    return None if is_token(given, stream.token) else (WRONG_TOKEN, "wrong token")


async def _handle(stream: _Stream, connection: ServerConnection) -> tuple[int, str]:
    end = NORMAL, ""
    try:
        await stream.handler(connection)
    except* ConnectionClosed:
        log.debug("The editor left the stream %s.", stream.name)
    except* Exception:  # a stream's edge: one that fails takes nothing else down
        log.exception("The stream %s failed.", stream.name)
        end = FAILED, "a fault of the bridge; its log says more"
    return end
