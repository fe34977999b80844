"""Requests without a body over HTTP/1.1, which are most of an app's page, read and answered without Hypercorn.

A `FastPath` stands between a connection and Hypercorn. What comes while Hypercorn is between two requests, and is one
whole request of this kind for an app, is served from here by the same `AppFront`; everything else goes on untouched:
other hosts, bodies, upgrades, trailers, HTTP/1.0, a head that comes in parts, more than one request at once, and what
httptools can't read. Why, and what of Hypercorn it relies on: docs/decisions/0015-a-fast-path-for-apps.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeAlias, cast
from urllib.parse import unquote

import httptools
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from genba_gateway.apps.bodies import ClientLeft
from genba_gateway.apps.fast_answers import FastAnswer
from genba_gateway.apps.requests import find_host
from genba_gateway.apps.serving import Serving
from genba_gateway.domain.app_access import AppOrigin
from genba_gateway.relay.http_answers import ANSWER_KEY
from genba_gateway.relay.taken_transport import CLOSE_S
from genba_gateway.relay.takeover import TakeableServer

log = logging.getLogger(__name__)

FindOrigin: TypeAlias = Callable[[HTTPScope, str], "AppOrigin | None"]
MakeServing: TypeAlias = Callable[[HTTPScope, ASGIReceiveCallable, ASGISendCallable, AppOrigin, str], Serving]

MAX_HEAD_BYTES: Final = 16 * 1024
"""A longer one is Hypercorn's to refuse."""

MAX_WAITING_BYTES: Final = 64 * 1024
"""What is kept of a client that sends on before it has its answer; then it is not read from until it has."""

STALLED_LOOKS: Final = 60
"""After so many looks, one each `CLOSE_S`, at which a closed connection had taken nothing it is dropped."""

_STARTS: Final = (b"GET /", b"HEAD /")

_NOT_PLAIN: Final = frozenset(
    {b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"http2-settings", b"te"}
)


class FastPath(asyncio.Protocol):
    """The protocol of one connection: it serves what it can, and passes on the rest to Hypercorn's."""

    def __init__(self, server: TakeableServer, find_origin: FindOrigin, make_serving: MakeServing) -> None:
        self._server = server
        self._transport = cast(asyncio.Transport, server.writer.transport)
        self._inner = cast(asyncio.Protocol, self._transport.get_protocol())
        self._find_origin = find_origin
        self._make_serving = make_serving
        self._answer: FastAnswer | None = None
        self._waiting = b""
        self._is_paused = False
        """Whether the client has enough to read: the next answer waits for it, too."""
        self._is_lost = False
        self._goodbye: asyncio.TimerHandle | None = None
        self._transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Serve, or pass on."""
        if self._answer is not None:
            self._waiting += data
            if len(self._waiting) > MAX_WAITING_BYTES:
                self._transport.pause_reading()
                self._server.loss.begin()
        elif not (self._server.is_between_requests and self._begin(data)):
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """The client sends no more: it has left, as Hypercorn sees it, too."""
        self._leave()
        self._server.notice_loss()
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._is_lost = True
        if self._goodbye is not None:
            self._goodbye.cancel()
        self._leave()
        self._server.tell_lost()
        self._inner.connection_lost(exc)
        self._server.notice_loss()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is written to."""
        self._is_paused = True
        if self._answer is not None:
            self._answer.pause()
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """It has read."""
        self._is_paused = False
        if self._answer is not None:
            self._answer.resume()
        self._inner.resume_writing()

    def _leave(self) -> None:
        if self._answer is not None:
            self._answer.leave()

    def _begin(self, data: bytes) -> bool:
        scope = read_request(data)
        if scope is None:
            return False
        protocol = self._server.protocol
        scope |= {"client": protocol.client, "server": protocol.server, "scheme": "https" if protocol.ssl else "http"}
        request = cast(HTTPScope, scope)
        host = find_host(request)
        origin = self._find_origin(request, host) if host else None
        if origin is None:
            return False
        answer = FastAnswer(self._transport, self._server.config, scope["method"], keep_alive=is_kept(scope["headers"]))
        if self._is_paused:
            answer.pause()
        request["state"][ANSWER_KEY] = answer
        self._answer = answer
        self._server.idle.mark_busy()
        serving = self._make_serving(request, answer.receive, answer.send, origin, host)
        # What fails here leaves the request to the task, which answers for it.
        is_sent = False
        with suppress(Exception):
            is_sent = serving.begin(lambda: self._finish(serving, answer))
        if not is_sent:
            self._server.start(self._run, serving, answer)
        return True

    def _finish(self, serving: Serving, answer: FastAnswer) -> None:
        is_finished = False
        with suppress(Exception):
            is_finished = serving.finish()
        if is_finished:
            self._answer = None
            self._end(answer)
        else:
            self._server.start(self._run, serving, answer)

    async def _run(self, serving: Serving, answer: FastAnswer) -> None:
        try:
            await serving.run()
        except ClientLeft:
            pass
        except Exception:
            log.exception("a request for an app was not answered")
            with suppress(ClientLeft):
                await answer.fail()
        finally:
            self._answer = None
            self._end(answer)

    def _end(self, answer: FastAnswer) -> None:
        if not answer.is_complete:
            self._transport.abort()
        elif not answer.keep_alive or answer.has_left or self._server.context.terminated.is_set():
            self._transport.close()
            self._await_goodbye(self._transport.get_write_buffer_size(), 0)
        elif not self._transport.is_closing():
            self._server.idle.mark_idle()
            waiting, self._waiting = self._waiting, b""
            if len(waiting) > MAX_WAITING_BYTES:
                self._transport.resume_reading()
                self._server.loss.end()
            if waiting:
                self.data_received(waiting)

    def _await_goodbye(self, left: int, stalled: int) -> None:
        """Drop a closed connection that nothing leaves any more: asyncio waits for ever, and for TLS's goodbye 30 s."""

        def look() -> None:
            now_left = self._transport.get_write_buffer_size()
            is_stuck = now_left == left
            if not now_left or (is_stuck and stalled >= STALLED_LOOKS):
                self._transport.abort()
            else:
                self._await_goodbye(now_left, stalled + 1 if is_stuck else 0)

        if not self._is_lost:
            self._goodbye = asyncio.get_running_loop().call_later(CLOSE_S, look)


def read_request(data: bytes) -> dict[str, Any] | None:
    """The ASGI scope of a request without its connection's part; None unless `data` is one whole plain request."""
    if len(data) > MAX_HEAD_BYTES or not data.startswith(_STARTS) or data.find(b"\r\n\r\n") != len(data) - 4:
        return None
    head = _Head()
    parser = httptools.HttpRequestParser(head)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    method = parser.get_method()
    # httptools forgives more than one space there, Hypercorn's parser does not.
    if not head.is_plain or not data.startswith(b"%s %s HTTP/1.1\r\n" % (method, head.target)):
        return None
    path, _, query = head.target.partition(b"?")
    return {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"spec_version": "2.1", "version": "3.0"},
        "method": method.decode("ascii"),
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": head.headers,
        "state": {},
        "extensions": {},
    }


def is_kept(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the client may send another request, as HTTP/1.1 has it."""
    tokens = [token for name, value in headers if name == b"connection" for token in value.lower().split(b",")]
    return b"close" not in [each.strip() for each in tokens]


class _Head:
    """Called by httptools."""

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_plain = False

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        names = [name for name, _ in self.headers]
        self.is_plain = names.count(b"host") == 1 and _NOT_PLAIN.isdisjoint(names)
