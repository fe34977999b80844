"""In front of Quart: requests whose host is one of apps' never reach it, all others go there untouched."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope, WebsocketScope

from genba_gateway.apps.bodies import BadBody, ClientLeft, RequestBody
from genba_gateway.apps.connections import UpstreamLost
from genba_gateway.apps.exchange import Exchange
from genba_gateway.apps.fast_path import FastPath
from genba_gateway.apps.handshakes import AppWebsocket
from genba_gateway.apps.hosts import find_host_fault, is_host
from genba_gateway.apps.long_answers import LongAnswers
from genba_gateway.apps.pool import AppKey, UpstreamPool
from genba_gateway.apps.refusals import RefusalPage, plain_page, render_refusal
from genba_gateway.apps.requests import came_round, find_fault, find_host, make_request
from genba_gateway.apps.responses import BadAnswer
from genba_gateway.apps.tasks import start_task
from genba_gateway.apps.upstreams import BadAppUrl, parse_app_url
from genba_gateway.domain.app_access import (
    AppAccess,
    AppGranted,
    AppOrigin,
    AppRedirect,
    AppRefusal,
    AppRequest,
    AppTarget,
)
from genba_gateway.domain.listeners import came_to
from genba_gateway.errors import GenbaError, StreamNotAccepted
from genba_gateway.relay.http_answers import break_answer, find_own_answer
from genba_gateway.relay.takeover import TakeableServer
from genba_gateway.services.agent_links import AgentLinks, Lane

log = logging.getLogger(__name__)

RETRY_S: Final = 2
"""How soon a page asks again for what is on its way back."""

_STOPPING: Final = AppRefusal(503, "The gateway is stopping", "It is back in a moment.", RETRY_S)
_LOOP: Final = AppRefusal(
    508, "This address leads in a circle", "What serves the app in its workspace leads back to this gateway."
)


class AppFront:
    """The ASGI application that the server runs.

    Args:
        inner: Quart, for every other host.
        classify: says which origin of apps a Host header names (without regard to case), None for one that is no
            app's. It is asked for every request.
        page: makes the pages that are shown in place of an app.
        trusted_proxies: networks whose X-Forwarded-For and X-Forwarded-Proto are believed.
        agent_address: IP address and port of a listener that is for agents alone: there are no apps.
    """

    def __init__(
        self,
        inner: ASGIFramework,
        *,
        classify: Callable[[str], AppOrigin | None],
        access: AppAccess,
        links: AgentLinks,
        page: RefusalPage = plain_page,
        trusted_proxies: Sequence[str] = (),
        agent_address: tuple[str, int] | None = None,
    ) -> None:
        self._inner = inner
        self._agent_address = agent_address
        self._classify = classify
        self._access = access
        self._page = page
        self._networks = tuple(ipaddress.ip_network(each, strict=False) for each in trusted_proxies)
        self._pool = UpstreamPool(links)
        self._long = LongAnswers()
        self._tasks: asyncio.TaskGroup | None = None
        self._mark = secrets.token_hex(8).encode()
        """Of this process. A circle through several replicas ends at the first one that it comes to again."""

    async def run(self) -> None:
        """Serve apps until cancelled; before and after, requests for them are answered with 503."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await asyncio.Event().wait()
        finally:
            self._tasks = None
            self._pool.close()
            self._long.close()

    def attach(self, server: TakeableServer) -> None:
        """Serve what can be served of a new connection past Hypercorn."""
        FastPath(server, self._find_origin, self._serve_http)

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
            await self._serve_http(scope, receive, send, origin, host)
        else:
            await self._serve_websocket(scope, receive, send, origin, host)

    def _find_origin(self, scope: HTTPScope | WebsocketScope, host: str) -> AppOrigin | None:
        # What can't be a host is left to `__call__`, which refuses it.
        if not is_host(host) or came_to(scope["server"], self._agent_address):
            return None
        return self._classify(host)

    async def _serve_http(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable, origin: AppOrigin, host: str
    ) -> None:
        fault = find_fault(scope)
        if fault:
            await self._refuse_unread(scope, send, origin, fault)
            return
        request = make_request(scope, origin, host, self._networks, self._mark)
        decision = _LOOP if came_round(scope, self._mark) else await self._access.decide(request)
        if isinstance(decision, AppGranted) and self._tasks is not None:
            self._access.count_request(decision.target)
            await self._proxy(scope, receive, send, request, decision, self._tasks)
            return
        if self._tasks is not None:
            body = RequestBody(scope, receive)
            if body.is_there:
                body.drop()
                start_task(self._tasks, body.run(), name="body of a refused request", on_failure=body.drop)
        await self._answer(send, request, _STOPPING if isinstance(decision, AppGranted) else decision)

    async def _refuse_unread(self, scope: HTTPScope, send: Any, origin: AppOrigin, fault: str) -> None:
        """Whatever follows such a request may be a part of it: the connection is closed."""
        request = AppRequest(origin, "GET", "http", "", "/", "", list(scope["headers"]), "", is_websocket=False)
        headers, body = render_refusal(_bad_request(fault), request, self._page)
        if scope["http_version"] != "2":
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _refuse_host(self, scope: HTTPScope | WebsocketScope, send: Any, fault: str) -> None:
        if scope["type"] == "http":
            await self._refuse_unread(scope, send, AppOrigin.PATH, fault)
            return
        await self._refuse_websocket(send, make_request(scope, AppOrigin.PATH, "", ()), _bad_request(fault))

    async def _proxy(
        self,
        scope: HTTPScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        request: AppRequest,
        granted: AppGranted,
        tasks: asyncio.TaskGroup,
    ) -> None:
        exchange = Exchange(scope, receive, send, request, granted)
        body, own = exchange.body, find_own_answer(scope)
        if own is not None:
            own.call_when_left(body.leave)
        else:
            start_task(tasks, body.run(), name="body of a request to an app", on_failure=body.fail)
        self._long.add(exchange, lambda: exchange.watch(tasks, lambda: self._access.wait_for_end(granted.target)))
        try:
            await exchange.run(self._pool, make_key(granted.target, Lane.APPS))
        except ClientLeft:
            pass
        except (GenbaError, UpstreamLost, BadAnswer, BadBody) as error:
            if exchange.is_begun:
                await break_answer(scope)
            else:
                await self._answer(send, request, await self._explain(error, granted.target))
        finally:
            self._long.discard(exchange)
            exchange.end_watch()
            exchange.body.drop()

    async def _serve_websocket(
        self, scope: WebsocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable, origin: AppOrigin, host: str
    ) -> None:
        fault = find_fault(scope)
        request = make_request(scope, origin, host, self._networks, self._mark)
        if fault or came_round(scope, self._mark):
            await self._refuse_websocket(send, request, _bad_request(fault) if fault else _LOOP)
            return
        decision = await self._access.decide(request)
        if isinstance(decision, AppGranted) and self._tasks is not None:
            await self._join(scope, receive, send, request, decision, self._tasks)
            return
        await self._refuse_websocket(send, request, _STOPPING if isinstance(decision, AppGranted) else decision)

    async def _join(
        self,
        scope: WebsocketScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        request: AppRequest,
        granted: AppGranted,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._access.count_request(granted.target)
        websocket = AppWebsocket(scope, receive, send, request, granted)
        key = make_key(granted.target, Lane.APP_SOCKETS)
        try:
            await websocket.run(self._pool, key, tasks, lambda: self._access.wait_for_end(granted.target))
        except ClientLeft:
            pass
        except (GenbaError, UpstreamLost, BadAnswer) as error:
            if websocket.is_answered:
                await break_answer(scope)
            else:
                await self._refuse_websocket(send, request, await self._explain(error, granted.target))

    async def _explain(self, error: Exception, target: AppTarget) -> AppRefusal:
        if isinstance(error, StreamNotAccepted):
            log.info("the app of agent %s at %s: %s", target.agent_id, target.app_url, error.message)
            return await self._access.explain_silence(target)
        return explain(error, target)

    async def _answer(self, send: Any, request: AppRequest, decision: AppRedirect | AppRefusal) -> None:
        status, headers, body = self._render(request, decision)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _refuse_websocket(self, send: Any, request: AppRequest, decision: AppRedirect | AppRefusal) -> None:
        status, headers, body = self._render(request, decision)
        with suppress(ConnectionError):
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": body, "more_body": False})

    def _render(
        self, request: AppRequest, decision: AppRedirect | AppRefusal
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        if isinstance(decision, AppRefusal):
            headers, body = render_refusal(decision, request, self._page)
            return decision.status, headers, body
        headers = [
            (b"location", decision.location.encode("latin-1")),
            (b"cache-control", b"no-store"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-length", b"0"),
        ]
        return decision.status, headers + [(b"set-cookie", each.encode()) for each in decision.set_cookies], b""


def make_key(target: AppTarget, lane: Lane) -> AppKey:
    """Whose connections a request for this app may use."""
    return AppKey(target.agent_id, target.build_id, parse_app_url(target.app_url), lane)


def explain(error: Exception, target: AppTarget) -> AppRefusal:
    """What is shown for an app that can't be reached, or does not speak HTTP.

    Where in the workspace the app is, and what is said of it there, is for the workspace's owner.
    """
    match error:
        case BadBody():
            return _bad_request(str(error))
        case BadAppUrl() if not target.is_owner:
            return AppRefusal(error.status, "The app can't be shown", "Its address can't be used. Its owner sees why.")
        case GenbaError():
            title = "The workspace can't be reached" if error.status == 502 else "The app can't be shown"
            return AppRefusal(error.status, title, error.message, RETRY_S if error.status > 500 else 0)
        case UpstreamLost():
            title = "The app did not answer"
            if not target.is_owner:
                return AppRefusal(502, title, "It closed the connection. Its owner sees more.")
            return AppRefusal(502, title, f"{parse_app_url(target.app_url).name} closed the connection: {error}")
        case _:
            title = "The app's answer can't be read"
            if not target.is_owner:
                return AppRefusal(502, title, "What it answered is not HTTP. Its owner sees more.")
            name = parse_app_url(target.app_url).name
            return AppRefusal(502, title, f"What {name} answered is not HTTP: {error}. Is it https?")


def _bad_request(fault: str) -> AppRefusal:
    return AppRefusal(400, "This request can't be read", fault)
