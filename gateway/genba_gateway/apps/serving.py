"""One HTTP request for an app, from its head to the end of its answer: refused, sent elsewhere, or handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from genba_gateway.apps.bodies import BadBody, ClientLeft, RequestBody
from genba_gateway.apps.connections import UpstreamLost
from genba_gateway.apps.exchange import Exchange
from genba_gateway.apps.explanations import LOOP, STOPPING, explain_failure, explain_request
from genba_gateway.apps.long_answers import LongAnswers
from genba_gateway.apps.pool import UpstreamPool
from genba_gateway.apps.refusals import RefusalPage, render_decision, render_refusal
from genba_gateway.apps.requests import Networks, came_round, find_fault, make_request
from genba_gateway.apps.responses import BadAnswer
from genba_gateway.apps.tasks import start_task
from genba_gateway.domain.app_access import (
    AppAccess,
    AppDecision,
    AppGranted,
    AppOrigin,
    AppRedirect,
    AppRefusal,
    AppRequest,
    AppTarget,
)
from genba_gateway.errors import GenbaError
from genba_gateway.relay.http_answers import break_answer, find_own_answer
from genba_gateway.relay.takeover import find_server


@dataclass(slots=True)
class Means:
    """What all requests for apps have in common."""

    access: AppAccess
    pool: UpstreamPool
    long: LongAnswers
    page: RefusalPage
    """Makes the pages that are shown in place of an app."""
    scheme_of: Callable[[AppOrigin], str]
    """By which of "http" and "https" browsers reach an origin."""
    networks: Networks
    """Of trusted proxies, whose word on the client is taken."""
    mark: bytes
    """Of this process. A circle through several replicas ends at the first one that it comes to again."""
    tasks: asyncio.TaskGroup | None = None
    """Of all requests; None while the gateway does not serve apps: it starts or stops."""


class Serving:
    """One request; `run` serves it."""

    def __init__(
        self,
        means: Means,
        scope: HTTPScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        origin: AppOrigin,
        host: str,
    ) -> None:
        self._means = means
        self._scope = scope
        self._receive = receive
        self._send: Any = send
        self._origin = origin
        self._host = host
        self._has_begun = False
        self._fault = ""
        self._request: AppRequest | None = None
        self._decision: AppDecision | None = None
        self._exchange: Exchange | None = None

    def begin(self, on_answer: Callable[[], None] | None = None) -> bool:
        """Do at once what nobody has to be waited for: for most requests, all until the app has it.

        A caller that does this while it hands on what it read spares the request turns of the loop, and a task if
        the answer comes whole.

        Returns:
            Whether `on_answer` will be called, after which the caller is to `finish`; else it is to `run`.
        """
        means = self._means
        self._fault = find_fault(self._scope)
        if not self._fault:
            scheme = means.scheme_of(self._origin)
            self._request = make_request(self._scope, self._origin, self._host, scheme, means.networks, means.mark)
            self._decision = LOOP if came_round(self._scope, means.mark) else means.access.decide_now(self._request)
        self._has_begun = True  # nothing is done twice, whatever fails from here on
        request, decision = self._request, self._decision
        if request is None or not isinstance(decision, AppGranted) or means.tasks is None:
            return False
        exchange = self._exchange = Exchange(self._scope, self._receive, self._send, request, decision)
        try:
            # First: what follows is done while the app answers.
            return on_answer is not None and exchange.begin(means.pool, on_answer)
        finally:
            self._attend(exchange, decision.target, means.tasks)

    def finish(self) -> bool:
        """Hand on the answer if it has come whole; return whether that was all, else `run` goes on."""
        exchange, own = self._exchange, find_own_answer(self._scope)
        if exchange is None or own is None or not exchange.finish(self._means.pool, own):
            return False
        self._leave(exchange)
        return True

    async def run(self) -> None:
        """Serve the request, from where `begin` left it."""
        if not self._has_begun:
            self.begin()
        means, request = self._means, self._request
        if request is None:
            await refuse_unread(self._scope, self._send, self._origin, self._fault, means.page)
            return
        if self._decision is None:
            self._decision = await means.access.decide(request)
        decision, tasks = self._decision, means.tasks
        if isinstance(decision, AppGranted) and self._exchange is None and tasks is not None:
            self._exchange = Exchange(self._scope, self._receive, self._send, request, decision)
            self._attend(self._exchange, decision.target, tasks)
        if isinstance(decision, AppGranted) and self._exchange is not None:
            await self._proxy(request, self._exchange, decision)
            return
        if tasks is not None:
            body = RequestBody(self._scope, self._receive)
            if body.is_there:
                body.drop()
                start_task(tasks, body.run(), name="body of a refused request", on_failure=body.drop)
        await self._answer(request, STOPPING if isinstance(decision, AppGranted) else decision)

    def _attend(self, exchange: Exchange, target: AppTarget, tasks: asyncio.TaskGroup) -> None:
        means = self._means
        means.access.count_request(target)
        body, own = exchange.body, find_own_answer(self._scope)
        if own is not None:
            own.call_when_left(body.leave)
        else:
            start_task(tasks, body.run(), name="body of a request to an app", on_failure=body.fail)
            if (server := find_server(self._scope)) is not None:
                # Where the app does not take the body, the server reads no further, and finds no end.
                server.call_when_lost(body.leave)
        means.long.add(exchange, lambda: exchange.watch(tasks, lambda: means.access.wait_for_end(target)))

    def _leave(self, exchange: Exchange) -> None:
        self._means.long.discard(exchange)
        exchange.end_watch()
        exchange.body.drop()
        if (server := find_server(self._scope)) is not None:
            server.forget_call(exchange.body.leave)

    async def _proxy(self, request: AppRequest, exchange: Exchange, granted: AppGranted) -> None:
        means = self._means
        try:
            await exchange.run(means.pool)
        except ClientLeft:
            pass
        except (GenbaError, UpstreamLost, BadAnswer, BadBody) as error:
            if exchange.is_begun:
                await break_answer(self._scope)
            else:
                await self._answer(request, await explain_failure(means.access, error, granted.target))
        finally:
            self._leave(exchange)

    async def _answer(self, request: AppRequest, decision: AppRedirect | AppRefusal) -> None:
        status, headers, body = render_decision(decision, request, self._means.page)
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


async def refuse_unread(scope: HTTPScope, send: Any, origin: AppOrigin, fault: str, page: RefusalPage) -> None:
    """Answer a request that can't be understood. Whatever follows may be a part of it: the connection is closed."""
    request = AppRequest(origin, "GET", "http", "", "/", "", list(scope["headers"]), "", is_websocket=False)
    headers, body = render_refusal(explain_request(fault), request, page)
    if scope["http_version"] != "2":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
