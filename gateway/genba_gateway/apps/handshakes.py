"""A websocket's handshake handed on to an app, which chooses subprotocol and extensions; then both are joined."""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, WebsocketScope
from websockets.utils import accept_key

from genba_gateway.apps.bodies import ClientLeft
from genba_gateway.apps.connections import UpstreamConnection
from genba_gateway.apps.exchange import read_head, write_head
from genba_gateway.apps.headers import for_app, for_browser
from genba_gateway.apps.pool import AppKey, UpstreamPool
from genba_gateway.apps.responses import BadAnswer, ResponseHead, ResponseReader
from genba_gateway.apps.tasks import start_task, wait_reason
from genba_gateway.apps.upstreams import make_target
from genba_gateway.apps.websocket_joint import WebsocketJoint
from genba_gateway.apps.websocket_messages import MessageRelay, NoRoom
from genba_gateway.domain.app_access import AppGranted, AppRequest
from genba_gateway.relay.http_answers import break_answer
from genba_gateway.relay.message_memory import count_received, message_memory_of_loop
from genba_gateway.relay.takeover import decline_compression, take_transport
from genba_gateway.services.client_carriers import CLOSE_REVOKED
from genba_wire.buffers import Buffer

log = logging.getLogger(__name__)

_OURS: frozenset[bytes] = frozenset({b"sec-websocket-accept", b"sec-websocket-protocol"})


class AppWebsocket:
    """One websocket to an app."""

    def __init__(
        self,
        scope: WebsocketScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        request: AppRequest,
        granted: AppGranted,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send: Callable[[Any], Awaitable[None]] = send
        self._request = request
        self._granted = granted
        self._held = message_memory_of_loop().open(granted.target.agent_id)
        self._is_http2 = scope["http_version"] == "2"
        self._end: Callable[[int, str], None] | None = None
        self.is_answered = False
        """Whether the browser has its 101, or the app's refusal."""

    async def run(
        self, pool: UpstreamPool, key: AppKey, tasks: asyncio.TaskGroup, wait_for_end: Callable[[], Awaitable[str]]
    ) -> None:
        """Serve it until it is over.

        Raises:
            ClientLeft: the browser left before it was answered.
            UpstreamLost, BadAnswer: the app did not answer.
            GenbaError: the app can't be reached.
        """
        connection = await pool.take(key, idle_at_most_s=0.0)
        try:
            leaving = start_task(
                tasks,
                self._wait_left(connection),
                name="a browser waits for a websocket",
                on_failure=lambda: connection.fail(ClientLeft()),
            )
            try:
                reader, head, parts = await self._shake_hands(connection, key)
            finally:
                leaving.cancel()
            if head.status == 101:
                await self._serve(connection, head, reader.early, tasks, wait_for_end)
            else:
                await self._pass_refusal(connection, reader, head, parts)
        finally:
            self._held.close()
            pool.drop(key, connection)

    async def _wait_left(self, connection: UpstreamConnection) -> None:
        while (await self._receive())["type"] != "websocket.disconnect":
            pass
        connection.fail(ClientLeft())

    async def _shake_hands(
        self, connection: UpstreamConnection, key: AppKey
    ) -> tuple[ResponseReader, ResponseHead, list[Buffer]]:
        request = self._request
        headers = for_app(request)
        if self._is_http2:
            # There is no key, and the server in front of us agrees with the browser on extensions by itself.
            headers = [header for header in headers if header[0] != b"sec-websocket-extensions"]
            headers.append((b"sec-websocket-key", base64.b64encode(secrets.token_bytes(16))))
        sent_key = next((value for name, value in headers if name == b"sec-websocket-key"), b"")
        headers += [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
        target = make_target(key.upstream, self._granted.target.address.base_path, request.raw_path, request.query)
        connection.way.write(write_head("GET", target, headers))
        reader = ResponseReader("GET", is_upgrade=True)
        head, parts, size = await read_head(connection, reader)
        connection.release(size)
        if head.status == 101:
            self._check(head, sent_key)
        return reader, head, parts

    def _check(self, head: ResponseHead, key: bytes) -> None:
        answered = dict(head.headers)
        if answered.get(b"sec-websocket-accept", b"").decode("latin-1") != accept_key(key.decode("latin-1")):
            raise BadAnswer("its handshake of a websocket does not fit the request")
        chosen = answered.get(b"sec-websocket-protocol", b"").decode("latin-1")
        if chosen and chosen not in self._scope["subprotocols"]:
            raise BadAnswer(f"it chose the subprotocol {chosen!r}, which was not offered")
        if self._is_http2 and b"sec-websocket-extensions" in answered:
            raise BadAnswer("it chose an extension, and none was offered")

    async def _serve(
        self,
        connection: UpstreamConnection,
        head: ResponseHead,
        early: bytes,
        tasks: asyncio.TaskGroup,
        wait_for_end: Callable[[], Awaitable[str]],
    ) -> None:
        target = self._granted.target
        chosen = dict(head.headers).get(b"sec-websocket-protocol")
        headers = [
            each for each in for_browser(head.headers, target.address, target.sharing_level) if each[0] not in _OURS
        ]
        headers += [(b"set-cookie", each.encode()) for each in self._granted.set_cookies]
        decline_compression(self._scope)
        count_received(self._scope, self._held, lambda: connection.fail(NoRoom()))
        self.is_answered = True
        await self._send(
            {
                "type": "websocket.accept",
                "subprotocol": chosen.decode("latin-1") if chosen else None,
                "headers": headers,
            }
        )
        taken = take_transport(self._scope)
        if taken is not None:
            joint = WebsocketJoint(taken, connection)
            await _until_end(joint.run(early), _call(joint.end), tasks, wait_for_end, connection.close)
        elif self._is_http2:
            relay = MessageRelay(self._receive, self._send, connection, self._held)
            await _until_end(relay.run(early), relay.end, tasks, wait_for_end, connection.close)
        else:
            log.warning("a websocket of an app could not be taken from the server, and was dropped")
            await break_answer(self._scope)

    async def _pass_refusal(
        self, connection: UpstreamConnection, reader: ResponseReader, head: ResponseHead, parts: list[Buffer]
    ) -> None:
        target = self._granted.target
        headers = for_browser(head.headers, target.address, target.sharing_level)
        self.is_answered = True
        await self._send({"type": "websocket.http.response.start", "status": head.status, "headers": headers})
        while True:
            for part in parts:
                await self._send({"type": "websocket.http.response.body", "body": part, "more_body": True})
            if reader.is_complete:
                await self._send({"type": "websocket.http.response.body", "body": b"", "more_body": False})
                return
            data = await connection.read()
            parts = reader.read_body(data)
            connection.release(len(data))


async def _until_end(
    serving: Awaitable[None],
    end: Callable[[int, str], Awaitable[None]],
    tasks: asyncio.TaskGroup,
    wait_for_end: Callable[[], Awaitable[str]],
    abandon: Callable[[], object],
) -> None:
    """Serve, and end it when its user may not go on."""

    async def end_in_time() -> None:
        await end(CLOSE_REVOKED, await wait_reason(wait_for_end))

    watch = start_task(tasks, end_in_time(), name="watch an app's websocket", on_failure=abandon)
    try:
        await serving
    finally:
        watch.cancel()


def _call(end: Callable[[int, str], None]) -> Callable[[int, str], Awaitable[None]]:
    async def call(code: int, reason: str) -> None:
        end(code, reason)

    return call
