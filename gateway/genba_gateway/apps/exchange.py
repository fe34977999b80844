"""One request handed on to an app, and its answer: nothing is kept but what is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any, Final

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from genba_gateway.apps.bodies import ClientLeft, RequestBody
from genba_gateway.apps.connections import EndedHere, UpstreamConnection, UpstreamLost
from genba_gateway.apps.headers import for_app, for_browser, trailers_for_browser, wants_trailers
from genba_gateway.apps.pool import KEEP_FOR_UNSAFE_S, KEEP_IDLE_S, AppKey, UpstreamPool, make_key
from genba_gateway.apps.responses import BadAnswer, Framing, ResponseHead, ResponseReader
from genba_gateway.apps.tasks import UNKNOWN_END, start_task, wait_reason
from genba_gateway.apps.upstreams import BadAppUrl, make_target
from genba_gateway.domain.app_access import AppGranted, AppRequest
from genba_gateway.relay.http_answers import OwnAnswer, add_trailers, break_answer, cork, find_own_answer
from genba_gateway.services.agent_links import Lane
from genba_wire.aio.turns import turns_of_loop
from genba_wire.buffers import Buffer

MAX_GATHER_BYTES: Final = 256 * 1024
"""Parts of an answer that came together leave together: up to so much, as much as one read of a link brings."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Exchange:
    """One request and its answer."""

    def __init__(
        self,
        scope: HTTPScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        request: AppRequest,
        granted: AppGranted,
    ) -> None:
        self._scope = scope
        self._send: Callable[[Any], Awaitable[None]] = send
        self._request = request
        self._granted = granted
        self._has_trailers = wants_trailers(request.headers)
        self._connection: UpstreamConnection | None = None
        self._watch: asyncio.Task[None] | None = None
        self._ended: EndedHere | None = None
        """Why nobody may have the answer any more."""
        self.body = RequestBody(scope, receive)
        """Its `run` is to be started as a task before `run` is."""
        self._can_repeat = request.method in _SAFE_METHODS and not self.body.is_there
        self._idle_at_most_s = KEEP_IDLE_S if self._can_repeat else KEEP_FOR_UNSAFE_S
        self.is_begun = False
        """Whether the client has got a part of the answer."""

    def begin(self, pool: UpstreamPool, on_answer: Callable[[], None]) -> bool:
        """Send the request at once, if it has no body and there is a kept connection; return whether it was sent.

        Then `finish` may be called once `on_answer` was, and `run` must be unless that was all.
        """
        try:
            key = self._key
        except BadAppUrl:
            return False  # `run` raises it again
        if self.body.is_there or self.body.has_left:
            return False
        is_alone = pool.is_calm
        connection = pool.take_kept(key, idle_at_most_s=self._idle_at_most_s)
        if connection is None:
            return False
        turns = turns_of_loop()

        def tell() -> None:
            connection.on_event = None
            turns.at_end(on_answer)

        connection.on_event = tell
        # Requests that come together share a write, in the loop's next turn. One that comes by itself is sent at once.
        if is_alone:
            turns.begin()
        try:
            self._send_request(connection)
        except BaseException:
            pool.drop(key, connection)
            raise
        finally:
            if is_alone:
                turns.end()
        return True

    def finish(self, pool: UpstreamPool, answer: OwnAnswer) -> bool:
        """Hand on an answer that has come whole, unless its client is gone; return whether there is no more to do.

        If there is, nothing has changed.
        """
        connection = self._connection
        if connection is not None and self.body.has_left:
            pool.drop(self._key, connection)
            return True
        data = connection.peek() if connection is not None else None
        if connection is None or not data or not answer.is_free:
            return False
        reader = ResponseReader(self._request.method)
        try:
            begun = reader.read_head(data)
        except BadAnswer:
            return False
        if begun is None or not reader.is_complete or begun[0].framing is Framing.CHUNKED:
            return False
        head, parts = begun
        answer.write_whole(head.status, self._make_headers(head), parts[0] if parts else b"")
        self.is_begun = self.body.is_over = True
        connection.skip()
        self._put_back(pool, connection, is_reusable=reader.can_reuse)
        return True

    async def run(self, pool: UpstreamPool) -> None:
        """Hand the request on and the answer back.

        Raises:
            ClientLeft: nobody waits for it any more.
            UpstreamLost, BadAnswer, BadBody: it is not whole; when it `is_begun` its client has to be shown that.
            GenbaError: the app can't be reached.
        """
        while True:
            connection = self._connection
            if connection is not None:
                connection.on_event = None
            else:
                connection = await pool.take(self._key, idle_at_most_s=self._idle_at_most_s)
            is_reusable = False
            try:
                if self._connection is None:
                    self._send_request(connection)
                is_reusable = await self._answer(connection)
                return
            except _Stale:
                if not self._can_repeat:
                    raise
                # Closed by the app while it was idle: it has seen nothing of the request.
                self._connection, self._idle_at_most_s = None, 0.0
            finally:
                self._put_back(pool, connection, is_reusable=is_reusable)

    @cached_property
    def _key(self) -> AppKey:
        return make_key(self._granted.target, Lane.APPS)

    def _put_back(self, pool: UpstreamPool, connection: UpstreamConnection, *, is_reusable: bool) -> None:
        if is_reusable:
            pool.give_back(self._key, connection)
        else:
            pool.drop(self._key, connection)

    def _send_request(self, connection: UpstreamConnection) -> None:
        if self.body.has_left:
            raise ClientLeft
        if self._ended is not None:
            raise self._ended
        connection.way.write(self._make_head())
        self._connection = connection
        self.body.send_to(connection)

    def watch(self, tasks: asyncio.TaskGroup, wait_for_end: Callable[[], Awaitable[str]]) -> None:
        """Break the answer off when `wait_for_end` returns."""

        async def end_in_time() -> None:
            self._end(await wait_reason(wait_for_end))
            await break_answer(self._scope)

        self._watch = start_task(
            tasks, end_in_time(), name="watch an app's answer", on_failure=lambda: self._end(UNKNOWN_END)
        )

    def end_watch(self) -> None:
        """The answer is over."""
        if self._watch is not None:
            self._watch.cancel()

    def _end(self, reason: str) -> None:
        self._ended = EndedHere(reason)
        if self._connection is not None:
            self._connection.fail(self._ended)

    def _make_head(self) -> bytes:
        request = self._request
        target = make_target(
            self._key.upstream, self._granted.target.address.base_path, request.raw_path, request.query
        )
        headers = for_app(request) + self.body.framing
        if self._has_trailers:
            headers += [(b"te", b"trailers"), (b"connection", b"te")]
        return write_head(request.method, target, headers)

    async def _answer(self, connection: UpstreamConnection) -> bool:
        """Return whether the connection may be used again."""
        reader = ResponseReader(self._request.method)
        head, parts, size = await read_head(connection, reader, self._send_hints)
        if reader.is_complete:
            cork(self._scope)
        await self._send_head(head)
        while True:
            await self._send_parts(parts, reader)
            connection.release(size)
            if reader.is_complete:
                return reader.can_reuse and (self.body.is_whole or not self.body.is_there)
            data: Buffer | None = await connection.read()
            parts, size = list[Buffer](), 0
            while data is not None:
                size += len(data)
                parts += reader.read_body(data)
                data = connection.read_more() if size < MAX_GATHER_BYTES and not reader.is_complete else None

    async def _send_hints(self, links: list[bytes]) -> None:
        """Tell the browser what it will need, over HTTP/2: many clients of HTTP/1.1 would take it for the answer."""
        if self._scope["http_version"] == "2":
            await self._send({"type": "http.response.early_hint", "links": links})

    async def _send_head(self, head: ResponseHead) -> None:
        headers = self._make_headers(head)
        self._has_trailers = self._has_trailers and head.framing is Framing.CHUNKED
        self.is_begun = True
        message: dict[str, Any] = {"type": "http.response.start", "status": head.status, "headers": headers}
        if self._has_trailers and self._scope["http_version"] == "2":
            message["trailers"] = True
        await self._send(message)

    def _make_headers(self, head: ResponseHead) -> list[tuple[bytes, bytes]]:
        target = self._granted.target
        # A cookie of ours is for one person, whoever may see the app: no shared cache may hand it to the next.
        level = "" if self._granted.set_cookies else target.sharing_level
        headers = for_browser(head.headers, target.address, level)
        return headers + [(b"set-cookie", each.encode()) for each in self._granted.set_cookies]

    async def _send_parts(self, parts: Sequence[Buffer], reader: ResponseReader) -> None:
        before_last = parts[:-1] if reader.is_complete else parts
        own = find_own_answer(self._scope) if len(before_last) > 1 else None
        if own is not None:
            await own.send_parts(before_last)
        else:
            for part in before_last:
                await self._send({"type": "http.response.body", "body": part, "more_body": True})
        if not reader.is_complete:
            return
        self.body.is_over = True
        trailers = trailers_for_browser(reader.trailers) if self._has_trailers else []
        if trailers:
            add_trailers(self._scope, trailers)
        await self._send({"type": "http.response.body", "body": parts[-1] if parts else b"", "more_body": False})
        if self._has_trailers and self._scope["http_version"] == "2":
            await self._send({"type": "http.response.trailers", "headers": trailers, "more_trailers": False})


class _Stale(UpstreamLost):
    """A connection that was used before ended before it brought a byte of the answer."""


async def read_head(
    connection: UpstreamConnection,
    reader: ResponseReader,
    send_hints: Callable[[list[bytes]], Awaitable[None]] | None = None,
) -> tuple[ResponseHead, list[Buffer], int]:
    """The head, what came of the body with it, and how many bytes are to be released for both.

    Args:
        send_hints: is given the links of early hints, which come before the head.
    """
    is_untouched = True
    while True:
        try:
            data = await connection.read()
        except EndedHere:
            raise
        except UpstreamLost as error:
            raise _Stale(str(error)) if is_untouched and connection.is_reused else error from error
        if not data and is_untouched and connection.is_reused:
            raise _Stale("The app closed the connection.")
        is_untouched = False
        begun = reader.read_head(data)
        if reader.hints and send_hints is not None:
            links, reader.hints = reader.hints, []
            await send_hints(links)
        if begun is not None:
            return *begun, len(data)
        connection.release(len(data))


def write_head(method: str, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The head of a request as bytes."""
    lines = [b"%s: %s\r\n" % header for header in headers]
    return b"%s %s HTTP/1.1\r\n%s\r\n" % (method.encode("ascii"), target, b"".join(lines))
