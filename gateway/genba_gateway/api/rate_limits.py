"""Rate limits before handlers (contract 0.2): by user, or by address while nobody is signed in, and by path."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from quart import Quart, Request, Response, Websocket, g, has_websocket_context, request, websocket

from genba_gateway.api.gate import client_address
from genba_gateway.domain.actors import AgentActor, UserActor
from genba_gateway.domain.rate_limits import Allowance, RequestCounter
from genba_gateway.errors import PreconditionRequired, TooManyRequests
from genba_wire.api.http_carriers import UP_SUFFIX
from genba_wire.api.terminals import CLIENT_CARRIER_PATH

GENERAL_LIMIT: Final = 512
SIGN_IN_LIMIT: Final = 60
FILE_LIMIT: Final = 12
BYPASS_HEADER: Final = "X-Coder-Bypass-Ratelimit"

_PASSWORD_PATH: Final = re.compile(r"/api/v2/users/[^/]+/password")
_PASSWORD_PAGE: Final = "/settings/security"
"""Whoever took over a session could guess the old password at both."""

_PASSWORD_CHANGES: Final = "changes of passwords"
"""They share one count: a user has several names in paths, and may guess under each."""

SIGN_IN_PATHS: Final = frozenset(
    {*("/api/v2/users/login", "/api/v2/users/first", "/api/v2/users/validate-password"), "/login", "/setup", "/sign-in"}
)


_SPELLING: Final = re.compile(r"urn:|uuid:|[{}-]")
"""What an id may be written with or without, as Python reads UUIDs."""

_CARRIER_START, _CARRIER_END = CLIENT_CARRIER_PATH.split("{agent_id}")


def install_rate_limits(app: Quart, now_s: Callable[[], float]) -> Callable[[], None]:
    """Have answers say what is left, and return what counts and refuses requests and websockets: for `install_gate`.

    Args:
        now_s: Unix time in seconds.
    """
    counter = RequestCounter()

    def count() -> None:
        g.allowance = None
        limit = _limit_of_request()
        if limit is None:
            return
        current = _current()
        if current.headers.get(BYPASS_HEADER, "").lower() == "true":
            if isinstance(g.actor, UserActor) and g.actor.is_owner:
                return
            # On public routes nobody was asked who they are: an owner's request is counted there, not refused.
            if g.actor is not None or limit == SIGN_IN_LIMIT:
                raise PreconditionRequired(f"Only an owner may send {BYPASS_HEADER}: leave it out.")
        caller = g.actor.user_id if isinstance(g.actor, UserActor) else client_address()
        # Paths that lead nowhere share one count: any number of them can be made up.
        endpoint = _SPELLING.sub("", current.path.lower()) if current.url_rule is not None else ""
        if _is_password_change():
            endpoint = _PASSWORD_CHANGES
        allowance = counter.count((caller, endpoint), limit, now_s())
        g.allowance = allowance
        if allowance.is_over:
            wait_s = max(1, round(allowance.resets_at_s - now_s()))
            raise TooManyRequests(
                f"You made more than {limit} requests of this kind in a minute: wait {wait_s} s.", retry_after_s=wait_s
            )

    async def stamp(response: Response) -> Response:
        allowance: Allowance | None = g.get("allowance")
        if allowance is not None:
            response.headers["X-RateLimit-Limit"] = str(allowance.limit)
            response.headers["X-RateLimit-Remaining"] = str(allowance.remaining)
            response.headers["X-RateLimit-Reset"] = str(allowance.resets_at_s)
        return response

    app.after_request(stamp)
    return count


def _current() -> Request | Websocket:
    return websocket if has_websocket_context() else request


def _limit_of_request() -> int | None:
    """The limit per minute, or None where there is none."""
    current = _current()
    path = current.path
    if isinstance(g.actor, AgentActor):
        return None  # agents send each log line when it comes; what they may send is bounded elsewhere
    if path.startswith(_CARRIER_START) and path.endswith(_CARRIER_END + UP_SUFFIX):
        return None  # a session sends them by the hundred; opening one is counted, and so are carriers at once
    if path in SIGN_IN_PATHS:
        return SIGN_IN_LIMIT if current.method == "POST" else GENERAL_LIMIT
    if _is_password_change():
        return SIGN_IN_LIMIT
    if not path.startswith("/api/") and not has_websocket_context():
        return None
    if path.startswith("/api/v2/files"):
        return FILE_LIMIT
    return GENERAL_LIMIT


def _is_password_change() -> bool:
    current = _current()
    if current.method == "PUT":
        return _PASSWORD_PATH.fullmatch(current.path) is not None
    return current.method == "POST" and current.path == _PASSWORD_PAGE
