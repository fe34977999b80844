"""A client's carrier over plain HTTP requests: one answer that does not end brings what comes, requests take what goes.

The requests are sent one after the other, each with all that has gathered since the last, so that they need no order of
their own; one that failed is sent again under its number. The answer is not asked for again: when it breaks off, the
carrier is lost, and the link above goes on with another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx

from genba_wire.aio.carrier import CLOSE_ABNORMAL, CLOSE_NORMAL, CarrierReceiver
from genba_wire.aio.send_marks import SendMarks
from genba_wire.api.http_carriers import CONTENT_TYPE, MAX_UP_BYTES, NOT_YET, NUMBER_HEADER, TAKEN
from genba_wire.buffers import Buffer
from genba_wire.errors import CarrierLost, RemoteProtocolError
from genba_wire.http_frames import CarrierEnd, HttpEvent, HttpFrameReader, encode_end, encode_length

log = logging.getLogger(__name__)

CLOSE_WITHIN_S: Final = 1.0
"""How long a goodbye may take before the connections are dropped."""

HIGH_BYTES: Final = 512 * 1024
"""With more than this waiting to go up, who sends is asked to pause: enough for the next request while one is sent."""

LOW_BYTES: Final = 256 * 1024
"""With no more than this waiting, who was asked to pause may send again."""

UP_TIMEOUT_S: Final = 30.0
"""How long one request may take; the gateway answers within 20 s."""

RETRY_FOR_S: Final = 20.0
"""How long a piece is sent again before the carrier is lost: the link gives up a silent one after 30 s."""

FIRST_RETRY_S: Final = 0.05
LONGEST_RETRY_S: Final = 1.0

_PASSING_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of proxies and gateways that will be better later."""


@dataclass(slots=True)
class UpWay:
    """Sends pieces up, one at a time. `url` and `headers` are those of every piece."""

    client: httpx.AsyncClient
    url: str
    headers: dict[str, str] = field(repr=False)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = field(default_factory=lambda: asyncio.get_running_loop().time)
    _number: int = 0

    async def send(self, piece: bytes) -> None:
        """Send one piece, again and again until it was taken.

        Raises:
            CarrierLost: it will not be taken.
        """
        headers = {**self.headers, NUMBER_HEADER: str(self._number), "Content-Type": CONTENT_TYPE}
        give_up_at = self.clock() + RETRY_FOR_S
        delay_s = FIRST_RETRY_S
        while (problem := await self._try(piece, headers)) is not None:
            if not problem:  # the other end does not read yet; the gateway has waited already
                give_up_at, delay_s = self.clock() + RETRY_FOR_S, FIRST_RETRY_S
            elif self.clock() + delay_s > give_up_at:
                raise CarrierLost(f"What was sent did not arrive: {problem}")
            await self.sleep(delay_s)
            delay_s = min(delay_s * 2, LONGEST_RETRY_S)
        self._number += 1

    async def _try(self, piece: bytes, headers: dict[str, str]) -> str | None:
        """Send once; returns None when it was taken, else why not, empty where that was foreseen."""
        if self.client.is_closed:
            raise CarrierLost("The way to the gateway was closed here.")
        try:
            response = await self.client.post(self.url, content=piece, headers=headers, timeout=UP_TIMEOUT_S)
        except httpx.TransportError as error:
            return str(error) or type(error).__name__
        if response.status_code == TAKEN:
            return None
        if response.status_code == NOT_YET:
            return ""
        if response.status_code in _PASSING_STATUSES:
            return f"status {response.status_code}"
        raise CarrierLost(f"The gateway did not take what was sent (status {response.status_code}).")


@dataclass(slots=True)
class DownWay:
    """The answer that brings what comes, of which the first frame has been read."""

    response: httpx.Response
    chunks: AsyncIterator[bytes]
    reader: HttpFrameReader
    early: list[HttpEvent]


class HttpCarrier:
    """Implements `DialledCarrier`."""

    def __init__(self, down: DownWay, up: UpWay) -> None:
        self.close_code: int | None = None
        """The code that the peer closed with, 1006 without one; None while the carrier lives."""
        self.close_reason = ""
        self._down = down
        self._up = up
        self._loop = asyncio.get_running_loop()
        self._receiver: CarrierReceiver | None = None
        self._is_started = False
        self._is_reading = True
        self._is_draining = False
        self._may_read = asyncio.Event()
        self._outgoing: deque[Buffer] = deque()
        self._marks = SendMarks(HIGH_BYTES, LOW_BYTES)
        self._has_work = asyncio.Event()
        self._is_closing = False
        self._is_over = False
        self._lost_reason = ""
        self._drop_timer: asyncio.TimerHandle | None = None
        # One task dials a carrier, another one closes it: no block of either could be the parent of this task.
        # `wait_closed` awaits it, and it raises nothing.
        self._task = self._loop.create_task(self._run(), name="carrier over HTTP requests")

    @property
    def is_sending_paused(self) -> bool:
        return self._marks.is_paused

    def send(self, *parts: Buffer) -> None:
        self.send_messages((parts,))

    def send_messages(self, messages: Iterable[Sequence[Buffer]]) -> None:
        if self._is_over or self._is_closing:
            return
        for parts in messages:
            self._queue(b"".join((encode_length(sum(map(len, parts))), *parts)))
        self._marks.check(self._receiver)

    def start(self, receiver: CarrierReceiver) -> None:
        self._receiver = receiver
        if self._is_over:
            self._loop.call_soon(self._tell_lost)
        self._is_started = True
        self._apply_pause()

    def pause_reading(self) -> None:
        self._is_reading = False
        self._apply_pause()

    def resume_reading(self) -> None:
        self._is_reading = True
        self._apply_pause()

    def close(self, code: int = CLOSE_NORMAL, reason: str = "") -> None:
        self._receiver = None
        if self._is_over or self._is_closing:
            return
        self._is_closing = True
        self._queue(encode_end(code, reason))
        self._drop_timer = self._loop.call_later(CLOSE_WITHIN_S, self._task.cancel)

    def abort(self) -> None:
        """Drop the connections at once."""
        self._receiver = None
        self._is_closing = True
        self._task.cancel()

    async def wait_closed(self) -> None:
        """Return once the connections are given back."""
        await asyncio.wait((self._task,))

    # Inside.

    async def _run(self) -> None:
        reason = "The connection was closed."
        try:
            async with asyncio.TaskGroup() as tasks:
                down = tasks.create_task(self._read(), name="carrier over HTTP requests: down")
                up = tasks.create_task(self._write(), name="carrier over HTTP requests: up")
                await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
                if not down.done() and not self._is_closing:
                    await self._drain(down)
                last = down if down.done() else up
                down.cancel()
                up.cancel()
            reason = last.result()
        except asyncio.CancelledError:
            # `abort`, or a goodbye that took too long: nobody awaits this task for its result.
            reason = "The connection was dropped."
        except Exception:  # the task's edge
            log.exception("A carrier over HTTP requests failed.")
        finally:
            self._end(reason)
            await self._down.response.aclose()

    async def _drain(self, down: asyncio.Task[str]) -> None:
        """Read to the end: a gateway that closes refuses what goes up, and may do so before its goodbye is here."""
        # A receiver that has asked for a pause gets what is left nevertheless: the goodbye is behind it.
        self._is_draining = True
        self._apply_pause()
        await asyncio.wait((down,), timeout=CLOSE_WITHIN_S)

    async def _read(self) -> str:
        """Deliver what comes; returns why nothing more does."""
        down = self._down
        try:
            reason = await self._deliver(down.early)
            while not reason:
                await self._may_read.wait()
                chunk = await anext(down.chunks, b"")
                if not chunk:
                    return "The connection was closed."
                reason = await self._deliver(down.reader.feed(chunk))
        except httpx.HTTPError as error:
            return f"The connection broke: {str(error) or type(error).__name__}"
        except RemoteProtocolError as error:
            return f"The peer broke the protocol: {error}"
        return reason

    async def _deliver(self, events: list[HttpEvent]) -> str:
        await self._may_read.wait()
        for event in events:
            if isinstance(event, CarrierEnd):
                self.close_code, self.close_reason = event.code, event.reason
                return event.reason or f"The peer closed the connection with code {event.code}."
            if self._receiver is not None:
                self._receiver.message_received(event.data)
        return ""

    async def _write(self) -> str:
        """Send what is to be sent; returns why nothing more is."""
        while True:
            await self._has_work.wait()
            try:
                await self._up.send(self._take_piece())
            except CarrierLost as error:
                return str(error)
            if self._outgoing:
                continue
            if self._is_closing:
                return "The connection was closed."
            self._has_work.clear()

    def _queue(self, data: bytes) -> None:
        self._outgoing.append(data)
        self._marks.add(len(data))
        self._has_work.set()

    def _take_piece(self) -> bytes:
        outgoing = self._outgoing
        parts: list[Buffer] = []
        room = MAX_UP_BYTES
        while outgoing and room:
            part = outgoing.popleft()
            if len(part) > room:
                view = memoryview(part)
                outgoing.appendleft(view[room:])
                part = view[:room]
            parts.append(part)
            room -= len(part)
        self._marks.take(MAX_UP_BYTES - room, self._receiver)
        return b"".join(parts)

    def _apply_pause(self) -> None:
        if self._is_started and (self._is_reading or self._is_draining):
            self._may_read.set()
        else:
            self._may_read.clear()

    def _end(self, reason: str) -> None:
        self._is_over = True
        self._lost_reason = reason
        if self.close_code is None:
            self.close_code = CLOSE_ABNORMAL
        if self._drop_timer is not None:
            self._drop_timer.cancel()
        self._outgoing.clear()
        self._tell_lost()

    def _tell_lost(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.carrier_lost(self._lost_reason)
