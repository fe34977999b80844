"""Server-sent events and websockets out (contract 0.2, "SSE framing" and "Websocket twin").

A stream ends when its source ends or fails, when its session is over or the gateway shuts down (`stream_ends`), or when
the client is gone; the framework cancels the handler then. Sources are asynchronous generators, closed here, so that
what they hold is given back at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Literal, cast

from quart import Response, request, websocket
from quart.wrappers.response import ResponseBody

from genba_gateway.api.stream_ends import WaitForEnd, end_of_stream
from genba_gateway.errors import GenbaError
from genba_gateway.relay.http_answers import abort_connection, break_answer
from genba_wire.aio.carrier import CLOSE_INTERNAL_ERROR, CLOSE_NORMAL
from genba_wire.api.message import Response as MessageBody
from genba_wire.api.message import encode_message

HEARTBEAT_S: Final = 15.0
"""How often a stream shows that it lives (contract 0.2)."""

MAX_CLOSE_REASON_BYTES: Final = 123
"""A close frame's payload is at most 125 bytes, two of them the code (RFC 6455, 5.5)."""

CLOSE_S: Final = 5.0
"""How long a peer may take to make room for the close frame; a slow one gets what was sent before, too."""

_UNFORESEEN: Final = "Something went wrong in the gateway; its log says what."
_PING_EVENT: Final = b"event: ping\n\n"
_PING_MESSAGE: Final = '{"type":"ping"}'

log = logging.getLogger(__name__)


async def stream_events(changes: AsyncIterator[object], *, heartbeat_s: float = HEARTBEAT_S) -> Response:
    """Answer with server-sent events: a ping first and from time to time, and each change as one line of JSON."""
    return await _answer_events(changes, heartbeat_s, lambda change: _event("data", change))


async def stream_pieces(
    pieces: AsyncIterator[str], finish: Callable[[str], str], *, heartbeat_s: float = HEARTBEAT_S
) -> Response:
    """Answer with server-sent events for a page: each is an event `piece` of HTML, for htmx to put into its place.

    Args:
        pieces: of the page.
        finish: makes what is sent of one, as it is sent.
        heartbeat_s: time between pings.
    """
    return await _answer_events(pieces, heartbeat_s, lambda piece: _piece_event(finish(str(piece))))


async def _answer_events(
    changes: AsyncIterator[object], heartbeat_s: float, encode: Callable[[object], bytes]
) -> Response:
    scope = cast("Mapping[str, object]", request.scope)
    body = _EventBody(changes, heartbeat_s, end_of_stream(), encode, scope)
    response = Response(body, content_type="text/event-stream")
    response.timeout = None
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    if request.http_version.startswith("1"):  # RFC 9113, 8.2.2: HTTP/2 forbids it
        response.headers["Connection"] = "keep-alive"
    return response


async def send_events(changes: AsyncIterator[object], *, ping_messages: bool, heartbeat_s: float = HEARTBEAT_S) -> None:
    """Send each change as `{"type":"data","data":…}` over the request's websocket.

    Args:
        changes: messages of the API.
        ping_messages: also send `{"type":"ping"}`, first and from time to time. The watch of metadata must not:
            its clients take every message for data.
        heartbeat_s: time between pings.
    """

    async def send_all() -> None:
        async with _closing(changes):
            async for change in changes:
                await websocket.send(_data_message(change))

    async def send_pings() -> None:
        while True:
            await websocket.send(_PING_MESSAGE)
            await asyncio.sleep(heartbeat_s)

    await _serve_websocket(send_all, *([send_pings] if ping_messages else []))


async def send_messages(messages: AsyncIterator[bytes | str]) -> None:
    """Send frames over the request's websocket, text or binary as they are, and close it after the last."""

    async def send_all() -> None:
        async with _closing(messages):
            async for message in messages:
                await websocket.send(message)

    await _serve_websocket(send_all)


class MessageSocket:
    """The request's accepted websocket, for binary messages both ways."""

    async def receive(self) -> bytes:
        """Wait for a message. Text is taken for its bytes, and nothing for an empty message, as Quart gives it."""
        message: bytes | str | None = await websocket.receive()
        return message.encode() if isinstance(message, str) else message or b""

    async def send(self, message: bytes) -> None:
        """Send a message."""
        await websocket.send(message)


async def serve_messages(serve: Callable[[MessageSocket], Awaitable[tuple[int, str]]]) -> None:
    """Accept the request's websocket, and close it with the code and reason that `serve` returns.

    When the client leaves first, `serve` is cancelled.
    """
    await _accept()

    async def run() -> tuple[int, str]:
        return await serve(MessageSocket())

    await _close(*await _run_until_end(run))


async def _serve_websocket(
    main: Callable[[], Awaitable[None]], *beside: Callable[[], Coroutine[object, object, None]]
) -> None:
    """Accept; run `main` and what belongs beside it; close by how `main` ended."""
    await _accept()

    async def run() -> tuple[int, str]:
        try:
            await main()
        except GenbaError as error:
            return CLOSE_INTERNAL_ERROR, error.message
        return CLOSE_NORMAL, ""

    await _close(*await _run_until_end(run, _discard_incoming, *beside))


async def _run_until_end(
    main: Callable[[], Coroutine[object, object, tuple[int, str]]],
    *beside: Callable[[], Coroutine[object, object, None]],
) -> tuple[int, str]:
    """Run `main` until it returns the code and reason to close with, or the stream has to end.

    Whatever fails, `main` or what waits for the end, there is a code to close with.
    """
    try:
        return await _run_all(main, *beside)
    except Exception:  # the handler's edge: an exception would close with 1000 as if all were well
        log.exception("The websocket %s failed.", websocket.path)
        return CLOSE_INTERNAL_ERROR, _UNFORESEEN


async def _run_all(
    main: Callable[[], Coroutine[object, object, tuple[int, str]]],
    *beside: Callable[[], Coroutine[object, object, None]],
) -> tuple[int, str]:
    async with asyncio.TaskGroup() as group:
        helpers = [group.create_task(each(), name="beside a websocket") for each in beside]
        ending = group.create_task(end_of_stream()(), name="end of a websocket")
        running = group.create_task(main(), name="a websocket")
        try:
            await asyncio.wait((running, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (*helpers, ending, running):
                each.cancel()
    if not running.cancelled():
        return running.result()
    end = ending.result()
    return end.code, end.reason


async def _accept() -> None:
    await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart types its headers as a bare dict


async def _close(code: int, reason: str) -> None:
    """Close, by force where the peer does not read: the goodbye waits behind what it has not taken."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await websocket.close(code, reason.encode()[:MAX_CLOSE_REASON_BYTES].decode(errors="ignore"))
    except TimeoutError:
        # Quart says goodbye once more when the handler returns, and would wait again.
        abort_connection(cast("Mapping[str, object]", websocket.scope))


async def _discard_incoming() -> None:
    """Clients have nothing to say on these streams; unread, what they send would pile up."""
    while True:
        await websocket.receive()


def _data_message(change: object) -> str:
    return f'{{"type":"data","data":{encode_message(change).decode()}}}'


@asynccontextmanager
async def _closing(source: AsyncIterator[object]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()


class _EventBody(ResponseBody):
    """The body of an event stream: the changes, and pings between them, in one bounded queue.

    The framework enters the body, iterates over it and leaves it in one task, which is the parent of both pumps.
    """

    def __init__(
        self,
        changes: AsyncIterator[object],
        heartbeat_s: float,
        wait_for_end: WaitForEnd,
        encode: Callable[[object], bytes],
        scope: Mapping[str, object],
    ) -> None:
        self._changes = changes
        self._encode = encode
        self._heartbeat_s = heartbeat_s
        self._wait_for_end = wait_for_end
        self._scope = scope
        self._is_read = asyncio.Event()
        """Set when all was handed to the framework."""
        self._group = asyncio.TaskGroup()
        self._pumps: list[asyncio.Task[None]] = []
        self._ending: asyncio.Task[None]
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)

    async def __aenter__(self) -> AsyncIterator[bytes]:
        self._chunks.put_nowait(_PING_EVENT)
        await self._group.__aenter__()
        self._pumps = [
            self._group.create_task(self._pump_changes(), name="event stream: changes"),
            self._group.create_task(self._pump_pings(), name="event stream: pings"),
        ]
        self._ending = self._group.create_task(self._end_in_time(), name="event stream: end")
        return self._iterate()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        for task in (*self._pumps, self._ending):
            task.cancel()
        await self._group.__aexit__(exc_type, exc_value, tb)

    async def _iterate(self) -> AsyncGenerator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk
        self._is_read.set()

    async def _pump_changes(self) -> None:
        try:
            async with _closing(self._changes):
                async for change in self._changes:
                    await self._chunks.put(self._encode(change))
        except GenbaError as error:
            await self._chunks.put(_event("error", MessageBody(message=error.message, detail=error.detail)))
        except Exception:  # the stream's edge: its status was sent long ago
            log.exception("An event stream failed.")
            await self._chunks.put(_event("error", MessageBody(message=_UNFORESEEN)))
        await self._chunks.put(None)

    async def _end_in_time(self) -> None:
        end = await self._wait_for_end()
        for pump in self._pumps:
            pump.cancel()
        try:
            async with asyncio.timeout(CLOSE_S):
                if end.is_refusal:
                    await self._chunks.put(_event("error", MessageBody(message=end.reason)))
                await self._chunks.put(None)
                await self._is_read.wait()
        except TimeoutError:
            await break_answer(self._scope)

    async def _pump_pings(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            await self._chunks.put(_PING_EVENT)


def _event(kind: Literal["data", "error"], body: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode_message(body))


def _piece_event(piece: str) -> bytes:
    """Each line of the HTML is a line of data: the event ends at the first empty one."""
    lines = "".join(f"data: {line}\n" for line in piece.splitlines())
    return f"event: piece\n{lines}\n".encode()
