"""The gate: every route declares what it needs, and every request passes here first.

A route without a declaration stops the server at start-up (`check_routes`). HTTP and websocket requests are
authenticated alike (contract 0.2: cookie, then query, then header).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from hmac import compare_digest
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from quart import Quart, Response, g, request, websocket

from genba_gateway.domain.actors import AgentActor, Permission, RouteAccess, UserActor
from genba_gateway.errors import ConfigError, Forbidden, Unauthenticated
from genba_gateway.services.sessions import Sessions
from genba_gateway.services.visibility import not_found
from genba_wire.aio.transport import SESSION_TOKEN_HEADER
from genba_wire.version import VERSION

Need = Permission | RouteAccess
Handler = TypeVar("Handler", bound=Callable[..., Any])

SESSION_COOKIE: Final = "coder_session_token"
"""Name of the browser's cookie and of the query parameter (contract 0.2, 5.1)."""

CSRF_COOKIE: Final = "csrf_token"
HOST_PREFIX: Final = "__Host-"
"""Before the names of a browser's cookies where it reaches the gateway by https (RFC 6265bis, 4.1.3.2).

Pages of apps may be under names of the dashboard's own domain, for all of which each can set cookies: only one of this
prefix is surely the dashboard's.
"""

CSRF_HEADER: Final = "X-CSRF-TOKEN"
SITE_HEADER: Final = "Sec-Fetch-Site"
"""How the page that made a browser ask is related to this origin; no page can change it."""
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CSRF_EXEMPT: Final = re.compile(r"^/(?!api/)|^/api/v2/(users/first|users/login|csp/reports|workspaceagents/)")
_NEED: Final = "__genba_need__"
_HIDDEN: Final = "__genba_hidden__"


def needs(need: Need, *, hidden: bool = False) -> Callable[[Handler], Handler]:
    """Declare what a route needs.

    Args:
        hidden: who may not use it is told that there is nothing (contract 3.1).
    """

    def declare(handler: Handler) -> Handler:
        setattr(handler, _NEED, need)
        setattr(handler, _HIDDEN, hidden)
        return handler

    return declare


def check_routes(app: Quart) -> None:
    """Stop the server when a route declares nothing.

    Raises:
        ConfigError: names the routes.
    """
    bare = sorted(rule.rule for rule in app.url_map.iter_rules() if need_of(app, rule.endpoint) is None)
    if bare:
        raise ConfigError(f"These routes declare no permission (api.gate.needs): {', '.join(bare)}.")


def install_gate(
    app: Quart,
    sessions: Sessions,
    trusted_proxies: tuple[str, ...],
    access_url: str = "",
    *,
    count_request: Callable[[], None] = lambda: None,
) -> None:
    """Authenticate and authorize every request before its handler.

    Args:
        access_url: where browsers find the gateway.
        count_request: called for each request and websocket when it is known who asks, also before one is refused. It
            may raise an answer of its own.
    """
    networks = tuple(ipaddress.ip_network(each, strict=False) for each in trusted_proxies)

    is_secure = access_url.startswith("https:")

    async def check_http() -> None:
        _check_site()
        try:
            await _check(app, request, sessions, networks, is_secure=is_secure)
        except (Unauthenticated, Forbidden):
            count_request()
            raise
        count_request()
        _check_csrf()

    async def check_websocket() -> None:
        try:
            await _check(app, websocket, sessions, networks, is_secure=is_secure)
        except (Unauthenticated, Forbidden) as error:
            count_request()
            if _is_hidden(app, websocket.endpoint):
                raise not_found() from error
            raise
        count_request()
        _check_origin(access_url)

    async def stamp(response: Response) -> Response:
        response.headers["X-Coder-Build-Version"] = VERSION
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    async def stamp_refusal(response: Any) -> Any:
        """A websocket that was refused has an answer: whoever gets it sees that it is no proxy's."""
        return response if response is None else await stamp(response)

    async def refuse_csrf(_refusal: CsrfRefused) -> Response:
        text = f"This request carries the session's cookie but no {CSRF_HEADER}: reload the page and try again.\n"
        return Response(text, status=400, content_type="text/plain; charset=utf-8")

    app.register_error_handler(CsrfRefused, refuse_csrf)
    app.before_request(check_http)
    app.before_websocket(check_websocket)
    app.after_request(stamp)
    app.after_websocket(stamp_refusal)


def current_user() -> UserActor:
    """The signed-in user of this request."""
    actor = g.actor
    assert isinstance(actor, UserActor), "the route's declaration guarantees a user"  # noqa: S101
    return actor


def current_agent() -> AgentActor:
    """The agent of this request."""
    actor = g.actor
    assert isinstance(actor, AgentActor), "the route's declaration guarantees an agent"  # noqa: S101
    return actor


def client_address() -> str:
    """The address that the request came from, through trusted proxies only."""
    return str(g.client_address)


async def _check(app: Quart, incoming: Any, sessions: Sessions, networks: tuple[Any, ...], *, is_secure: bool) -> None:
    g.actor = None
    g.client_address = _address_of(incoming, networks)
    need = need_of(app, incoming.endpoint) if incoming.endpoint else RouteAccess.PUBLIC
    token, g.token_from_cookie_only = _token_of(incoming, is_secure=is_secure)
    match need:
        case None:
            raise Forbidden("This route declares no permission.")
        case RouteAccess.PUBLIC | RouteAccess.TICKET:
            return
        case RouteAccess.AGENT:
            g.actor = await sessions.authenticate_agent(token)
        case RouteAccess.SIGNED_IN | Permission():
            user_agent = incoming.headers.get("User-Agent", "")[:256]
            actor = await sessions.authenticate_user(token, g.client_address, user_agent)
            g.actor = actor
            if isinstance(need, Permission) and not actor.may_ever(need):
                raise Forbidden(f"Your roles don't allow to {need.action} a {need.resource}.")


def need_of(app: Quart, endpoint: str) -> Need | None:
    """What a route declared; None for one that declares nothing."""
    if endpoint == "static":
        return RouteAccess.PUBLIC
    need: Need | None = getattr(app.view_functions[endpoint], _NEED, None)
    return need


def _is_hidden(app: Quart, endpoint: str | None) -> bool:
    return endpoint is not None and getattr(app.view_functions[endpoint], _HIDDEN, False) is True


def _token_of(incoming: Any, *, is_secure: bool) -> tuple[str, bool]:
    cookie = incoming.cookies.get(HOST_PREFIX + SESSION_COOKIE, "")
    if not cookie and not (is_secure and SITE_HEADER in incoming.headers):
        cookie = incoming.cookies.get(SESSION_COOKIE, "")  # of a program, which has no domain's cookies
    query = incoming.args.get(SESSION_COOKIE, "")
    header = incoming.headers.get(SESSION_TOKEN_HEADER, "")
    bearer = incoming.headers.get("Authorization", "")
    if not header and bearer.startswith("Bearer "):
        header = bearer.removeprefix("Bearer ").strip()
    token = cookie or query or header
    only_cookie = bool(cookie) and not any(compare_digest(cookie.encode(), x.encode()) for x in (query, header) if x)
    return token, only_cookie


def csrf_cookie() -> str:
    """The value that this browser was given to repeat, or empty."""
    return request.cookies.get(HOST_PREFIX + CSRF_COOKIE, "") or request.cookies.get(CSRF_COOKIE, "")


def _check_site() -> None:
    """Refuse what a page of another origin makes a browser change.

    SameSite=Lax keeps other sites away, and not the apps of workspaces under names of the dashboard's own domain.
    Browsers say it of every request by https and to loopback; the token of forms stands where they say nothing.
    """
    site = request.headers.get(SITE_HEADER, "")
    if (
        request.method in _SAFE_METHODS
        or site in ("", "none", "same-origin")
        or SESSION_TOKEN_HEADER in request.headers
    ):
        return
    raise Forbidden("A page of another origin asked for this: go to the dashboard and do it there.")


def _check_csrf() -> None:
    if request.method in _SAFE_METHODS or not g.token_from_cookie_only or _CSRF_EXEMPT.match(request.path):
        return
    sent, expected = request.headers.get(CSRF_HEADER, ""), csrf_cookie()
    if not expected or not compare_digest(sent.encode(), expected.encode()):
        raise CsrfRefused


def _check_origin(access_url: str) -> None:
    """A browser sends its cookie with any page's websocket, so its Origin must be ours.

    Proxies may rewrite Host (nginx does, unless told otherwise); then it is the host of the access URL that tells.
    """
    origin = websocket.headers.get("Origin", "")
    if not g.token_from_cookie_only or not origin:
        return
    ours = {websocket.headers.get("Host", ""), urlsplit(access_url).netloc} - {""}
    if origin.partition("://")[2] not in ours:
        raise Forbidden("This websocket was opened by a page of another origin.")


class CsrfRefused(Exception):  # an answer, not a failure
    """Told as plain text, status 400 (contract 0.2)."""


def _address_of(incoming: Any, networks: tuple[Any, ...]) -> str:
    address: str = incoming.remote_addr or ""
    if not networks:
        return address
    # A proxy may add to the line that it got or write one of its own below: only all of them end with what it saw.
    lines = ",".join(incoming.headers.getlist("X-Forwarded-For"))
    chain = [each.strip() for each in lines.split(",") if each.strip()]
    while chain and _is_within(address, networks):
        address = chain.pop()
    return address


def _is_within(address: str, networks: tuple[Any, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
