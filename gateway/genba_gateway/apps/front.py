"""In front of Quart: requests whose host is one of apps' never reach it, all others go there untouched."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope, WebsocketScope

from genba_gateway.apps.bodies import ClientLeft
from genba_gateway.apps.connections import UpstreamLost
from genba_gateway.apps.explanations import LOOP, STOPPING, explain_failure, explain_request
from genba_gateway.apps.fast_path import FastPath
from genba_gateway.apps.handshakes import AppWebsocket
from genba_gateway.apps.hosts import find_host_fault, is_host
from genba_gateway.apps.long_answers import LongAnswers
from genba_gateway.apps.pool import UpstreamPool, make_key
from genba_gateway.apps.refusals import RefusalPage, plain_page, render_decision
from genba_gateway.apps.requests import came_round, find_fault, find_host, make_request
from genba_gateway.apps.responses import BadAnswer
from genba_gateway.apps.serving import Means, Serving, refuse_unread
from genba_gateway.domain.app_access import AppAccess, AppGranted, AppOrigin, AppRedirect, AppRefusal, AppRequest
from genba_gateway.domain.listeners import came_to
from genba_gateway.errors import GenbaError
from genba_gateway.relay.http_answers import break_answer
from genba_gateway.relay.takeover import TakeableServer
from genba_gateway.services.agent_links import AgentLinks, Lane


class AppFront:
    """The ASGI application that the server runs.

    Args:
        inner: Quart, for every other host.
        classify: says which origin of apps a Host header names (without regard to case), None for one that is no
            app's. It is asked for every request.
        page: makes the pages that are shown in place of an app.
        scheme_of: says by which of "http" and "https" browsers reach an origin; no header of a request does.
        trusted_proxies: networks whose X-Forwarded-For is believed.
        agent_address: IP address and port of a listener that is for agents alone: there are no apps.
    """

    def __init__(
        self,
        inner: ASGIFramework,
        *,
        classify: Callable[[str], AppOrigin | None],
        access: AppAccess,
        links: AgentLinks,
        scheme_of: Callable[[AppOrigin], str],
        page: RefusalPage = plain_page,
        trusted_proxies: Sequence[str] = (),
        agent_address: tuple[str, int] | None = None,
    ) -> None:
        self._inner = inner
        self._agent_address = agent_address
        self._classify = classify
        self._means = Means(
            access=access,
            pool=UpstreamPool(links),
            long=LongAnswers(),
            page=page,
            scheme_of=scheme_of,
            networks=tuple(ipaddress.ip_network(each, strict=False) for each in trusted_proxies),
            mark=secrets.token_hex(8).encode(),
        )

    async def run(self) -> None:
        """Serve apps until cancelled; before and after, requests for them are answered with 503."""
        try:
            async with asyncio.TaskGroup() as self._means.tasks:
                await asyncio.Event().wait()
        finally:
            self._means.tasks = None
            self._means.pool.close()
            self._means.long.close()

    def attach(self, server: TakeableServer) -> None:
        """Serve what can be served of a new connection past Hypercorn."""
        FastPath(server, self._find_origin, self._make_serving)

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one connection's request or websocket, or the server's lifespan."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        fault = find_host_fault(scope)
        if fault:
            await self._refuse_host(scope, send, fault)
            return
        host = find_host(scope)
        origin = self._find_origin(scope, host)
        if origin is None:
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._make_serving(scope, receive, send, origin, host).run()
        else:
            await self._serve_websocket(scope, receive, send, origin, host)

    def _find_origin(self, scope: HTTPScope | WebsocketScope, host: str) -> AppOrigin | None:
        # What can't be a host is left to `__call__`, which refuses it.
        if not is_host(host) or came_to(scope["server"], self._agent_address):
            return None
        return self._classify(host)

    def _make_serving(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, origin: AppOrigin, host: str
    ) -> Serving:
        return Serving(self._means, scope, receive, send, origin, host)

    async def _refuse_host(self, scope: HTTPScope | WebsocketScope, send: Any, fault: str) -> None:
        if scope["type"] == "http":
            await refuse_unread(scope, send, AppOrigin.PATH, fault, self._means.page)
            return
        await self._refuse_websocket(send, make_request(scope, AppOrigin.PATH, "", "", ()), explain_request(fault))

    async def _serve_websocket(
        self, scope: WebsocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable, origin: AppOrigin, host: str
    ) -> None:
        means = self._means
        fault = find_fault(scope)
        request = make_request(scope, origin, host, means.scheme_of(origin), means.networks, means.mark)
        if fault or came_round(scope, means.mark):
            await self._refuse_websocket(send, request, explain_request(fault) if fault else LOOP)
            return
        decision = await means.access.decide(request)
        if isinstance(decision, AppGranted) and means.tasks is not None:
            await self._join(scope, receive, send, request, decision, means.tasks)
            return
        await self._refuse_websocket(send, request, STOPPING if isinstance(decision, AppGranted) else decision)

    async def _join(
        self,
        scope: WebsocketScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        request: AppRequest,
        granted: AppGranted,
        tasks: asyncio.TaskGroup,
    ) -> None:
        access, target = self._means.access, granted.target
        access.count_request(target)
        websocket = AppWebsocket(scope, receive, send, request, granted)
        try:
            key = make_key(target, Lane.APP_SOCKETS)
            await websocket.run(self._means.pool, key, tasks, lambda: access.wait_for_end(target))
        except ClientLeft:
            pass
        except (GenbaError, UpstreamLost, BadAnswer) as error:
            if websocket.is_answered:
                await break_answer(scope)
            else:
                await self._refuse_websocket(send, request, await explain_failure(access, error, target))

    async def _refuse_websocket(self, send: Any, request: AppRequest, decision: AppRedirect | AppRefusal) -> None:
        status, headers, body = render_decision(decision, request, self._means.page)
        with suppress(ConnectionError):
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
