"""Server-sent events and websockets out (contract 0.2, "SSE framing" and "Websocket twin").

A stream ends when its source ends, fails, or the client is gone; the framework cancels the handler then. Sources are
asynchronous generators, closed here, so that what they hold is given back at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Literal

from quart import Response, websocket
from quart.wrappers.response import ResponseBody

from genba_gateway.errors import GenbaError
from genba_wire.api.message import Response as MessageBody
from genba_wire.api.message import encode_message

HEARTBEAT_S: Final = 15.0
"""How often a stream shows that it lives (contract 0.2)."""

MAX_CLOSE_REASON_BYTES: Final = 123
"""A close frame's payload is at most 125 bytes, two of them the code (RFC 6455, 5.5)."""

_NORMAL: Final = 1000
_INTERNAL_ERROR: Final = 1011
_UNFORESEEN: Final = "Something went wrong in the gateway; its log says what."
_PING_EVENT: Final = b"event: ping\n\n"
_PING_MESSAGE: Final = '{"type":"ping"}'

log = logging.getLogger(__name__)


async def stream_events(changes: AsyncIterator[object], *, heartbeat_s: float = HEARTBEAT_S) -> Response:
    """Answer with server-sent events: a ping first and from time to time, and each change as one line of JSON."""
    response = Response(_EventBody(changes, heartbeat_s), content_type="text/event-stream")
    response.timeout = None
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
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
    await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart types its headers as a bare dict
    code, reason = _INTERNAL_ERROR, _UNFORESEEN
    try:
        code, reason = await serve(MessageSocket())
    except Exception:  # the handler's edge: an exception would close with 1000 as if all were well
        log.exception("The websocket %s failed.", websocket.path)
    await _close(code, reason)


async def _serve_websocket(
    main: Callable[[], Awaitable[None]], *beside: Callable[[], Coroutine[object, object, None]]
) -> None:
    """Accept; run `main` and what belongs beside it; close by how `main` ended."""
    await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart types its headers as a bare dict
    async with asyncio.TaskGroup() as group:
        helpers = [group.create_task(each(), name="beside a websocket") for each in (_discard_incoming, *beside)]
        code, reason = _NORMAL, ""
        try:
            await main()
        except GenbaError as error:
            code, reason = _INTERNAL_ERROR, error.message
        except Exception:  # the handler's edge: an exception would close with 1000 as if all were well
            log.exception("The websocket %s failed.", websocket.path)
            code, reason = _INTERNAL_ERROR, _UNFORESEEN
        finally:
            for helper in helpers:
                helper.cancel()
    await _close(code, reason)


async def _close(code: int, reason: str) -> None:
    await websocket.close(code, reason.encode()[:MAX_CLOSE_REASON_BYTES].decode(errors="ignore"))


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

    def __init__(self, changes: AsyncIterator[object], heartbeat_s: float) -> None:
        self._changes = changes
        self._heartbeat_s = heartbeat_s
        self._group = asyncio.TaskGroup()
        self._pumps: list[asyncio.Task[None]] = []
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)

    async def __aenter__(self) -> AsyncIterator[bytes]:
        self._chunks.put_nowait(_PING_EVENT)
        await self._group.__aenter__()
        self._pumps = [
            self._group.create_task(self._pump_changes(), name="event stream: changes"),
            self._group.create_task(self._pump_pings(), name="event stream: pings"),
        ]
        return self._iterate()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        for pump in self._pumps:
            pump.cancel()
        await self._group.__aexit__(exc_type, exc_value, tb)

    async def _iterate(self) -> AsyncGenerator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            yield chunk

    async def _pump_changes(self) -> None:
        try:
            async with _closing(self._changes):
                async for change in self._changes:
                    await self._chunks.put(_event("data", change))
        except GenbaError as error:
            await self._chunks.put(_event("error", MessageBody(message=error.message, detail=error.detail)))
        except Exception:  # the stream's edge: its status was sent long ago
            log.exception("An event stream failed.")
            await self._chunks.put(_event("error", MessageBody(message=_UNFORESEEN)))
        await self._chunks.put(None)

    async def _pump_pings(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            await self._chunks.put(_PING_EVENT)


def _event(kind: Literal["data", "error"], body: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode_message(body))
