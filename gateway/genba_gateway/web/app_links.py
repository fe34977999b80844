"""From the dashboard to apps: where a browser without a session of an app is sent, and links to apps by path.

No app is served here: the dashboard's origin has no content of users.
"""

from __future__ import annotations

from typing import Final

from markupsafe import escape
from quart import Blueprint, Response, request

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.domain.app_addresses import parse_path_address
from genba_gateway.domain.app_entry import is_plain_path, join_address
from genba_gateway.domain.app_hosts import AppHosts
from genba_gateway.errors import Unauthenticated
from genba_gateway.services.app_access import AppGate
from genba_gateway.services.app_sessions import AUTH_REDIRECT, AppSessions
from genba_gateway.web.forms import go_to, login_path
from genba_gateway.web.pages import error_page, not_found_page

_GO_ON: Final = "/open-app"
"""Where a sign-in leads that was asked for by an app.

Browsers hold a form, and so the sign-in's, to the policy of its page through all redirects that follow, and that policy
knows this origin alone. So the way ends at a page, which goes on by itself.
"""

_GO_ON_PAGE: Final = (
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Opening the app</title>\n'
    '<meta http-equiv="refresh" content="0; url={target}">\n<p><a href="{target}">Open the app</a></p>\n</html>\n'
)
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_APP: Final = "/@<owner>/<workspace>/apps/<slug>/"


def make_blueprint(sessions: AppSessions, gate: AppGate, hosts: AppHosts) -> Blueprint:
    """The ways from the dashboard to apps."""
    blueprint = Blueprint("app_links", __name__)

    @blueprint.errorhandler(Unauthenticated)
    async def ask_to_sign_in(_error: Unauthenticated) -> Response:
        if request.path.startswith("/@"):
            return _lead_to_path_app(hosts)  # which asks for it by itself
        return go_to(login_path(f"{_GO_ON}?{_query()}"))

    @blueprint.get(_GO_ON)
    @needs(RouteAccess.PUBLIC)
    async def go_on() -> Response:
        target = escape(f"{AUTH_REDIRECT}?{_query()}")
        return Response(_GO_ON_PAGE.format(target=target), content_type="text/html; charset=utf-8", headers=_HEADERS)

    @blueprint.get(AUTH_REDIRECT)
    @needs(RouteAccess.SIGNED_IN)
    async def auth_redirect() -> Response:
        target = await sessions.connect(
            current_user(), request.args.get("redirect_uri", ""), request.args.get("state", "")
        )
        return go_to(target)

    @blueprint.get(_APP, strict_slashes=False)
    @blueprint.get(f"{_APP}<path:rest>")
    @needs(RouteAccess.SIGNED_IN)
    async def app_by_path(owner: str, workspace: str, slug: str, rest: str = "") -> Response:
        found = parse_path_address(_raw_path())
        if found is None or not is_plain_path(_raw_path()):
            return not_found_page()
        own_host = await gate.find_own_host(current_user(), found.address)
        if own_host:
            return _lead_to(join_address(own_host.removesuffix("/"), found.rest or "/", _query()))
        return _lead_to_path_app(hosts)

    return blueprint


def _lead_to_path_app(hosts: AppHosts) -> Response:
    raw_path = _raw_path()
    if hosts.path_apps_disabled:
        return error_page(403, "Apps by path are switched off", "This gateway serves apps under their own names.")
    if not is_plain_path(raw_path) or parse_path_address(raw_path) is None:
        return not_found_page()
    if not hosts.apps_url:
        return error_page(
            404,
            "Apps by path have no address",
            "An administrator has to give them an origin apart from this one: the setting --apps-url.",
        )
    return _lead_to(join_address(hosts.apps_url, raw_path, _query()))


def _query() -> str:
    return request.query_string.decode("latin-1")


def _raw_path() -> str:
    raw: bytes = request.scope["raw_path"]
    return raw.partition(b"?")[0].decode("latin-1")


def _lead_to(location: str) -> Response:
    return Response(b"", status=307, headers={"Location": location, "Cache-Control": "no-store"})
