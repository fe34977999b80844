"""The head of a request for an app, read before anybody is asked who sends it: pure rules (contract 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from genba_gateway.domain.app_access import AppAddress, AppDecision, AppOrigin, AppRedirect, AppRefusal, AppRequest
from genba_gateway.domain.app_addresses import climbs, parse_label, parse_path_address, parse_port
from genba_gateway.domain.app_hosts import AppHosts

CONNECT_PARAMETER: Final = "coder_application_connect_api_key_35e783"
"""In the query of the address that a browser comes back to, from the dashboard that knows its user (contract 3.5)."""

MAX_RETURN_CHARS: Final = 2048
"""A longer address is not carried through a sign-in: it leads to the app's own page then."""

MAX_SAME_COOKIES: Final = 3
"""Of one name, which several paths and domains may have set; more are not looked at."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_IN_ADDRESSES: Final = "/%:@!$&'()*+,;=~-._?"
_NOWHERE: Final = AppRefusal(
    404, "Nothing here", "There is no app at this address, or you may not use it. Look for it on its workspace's page."
)


def nowhere() -> AppRefusal:
    """The one page for what is absent and for what is hidden (contract 0.2)."""
    return _NOWHERE


@dataclass(frozen=True, slots=True)
class AppEntry:
    """Where a request leads."""

    address: AppAddress
    origin: str
    """The exact origin that the browser shows, such as https://code--main--dev--alice.apps.example.com."""
    raw_path: str
    query: str
    """Without a token for connecting."""
    connect_token: str = ""

    @property
    def url(self) -> str:
        """The whole address without a token for connecting."""
        return join_address(self.origin, self.raw_path, self.query)

    @property
    def realm(self) -> str:
        """What sessions and tokens of this app are bound to: no other app takes them."""
        return self.origin + self.address.base_path


def read_entry(hosts: AppHosts, request: AppRequest) -> AppEntry | AppDecision:
    """Where a request leads, or what becomes of it whoever sends it."""
    kind, origin = hosts.classify(request.host), hosts.find_origin(request.host)
    if kind is AppOrigin.PATH and hosts.path_apps_disabled:
        return AppRefusal(403, "Apps by path are switched off", "This gateway serves apps under names of their own.")
    if kind is None or not origin:
        return AppRefusal(
            421, "Another address", "Apps are served under the exact name and port that the dashboard's links have."
        )
    if not is_plain_path(request.raw_path):
        return AppRefusal(400, "This address can't be used", "Its path leads upwards, or has characters that none has.")
    if kind is AppOrigin.PATH:
        found = parse_path_address(request.raw_path)
        address, rest = (found.address, found.rest) if found else (None, "")
    else:
        address, rest = parse_label(hosts.label_of(request.host)), request.raw_path
    if address is None:
        return nowhere()
    port = parse_port(address.app)
    if port is not None and not port.is_allowed:
        return AppRefusal(400, "This port can't be opened", "Ports of workspaces are 9 to 65535.")
    if not rest:
        return AppRedirect(307, join_address(origin, address.base_path, request.query))
    query, token = take_connect_token(request.query)
    return AppEntry(address, origin, request.raw_path, query, token)


def is_plain_path(raw_path: str) -> bool:
    """Whether a path can be put behind an origin: it begins with a slash and climbs nowhere."""
    return raw_path.startswith("/") and raw_path.isascii() and raw_path.isprintable() and not climbs(raw_path)


def take_connect_token(query: str) -> tuple[str, str]:
    """A query without the token for connecting, and that token; none when there are two."""
    if CONNECT_PARAMETER not in query:
        return query, ""
    parts = query.split("&")
    tokens = [part.partition("=")[2] for part in parts if part.partition("=")[0] == CONNECT_PARAMETER]
    kept = "&".join(part for part in parts if part.partition("=")[0] != CONNECT_PARAMETER)
    return kept, tokens[0] if len(tokens) == 1 else ""


def join_address(origin: str, path: str, query: str) -> str:
    """An address that a header can hold, whatever a client sent."""
    return origin + quote(path, safe=_IN_ADDRESSES) + (f"?{quote(query, safe=_IN_ADDRESSES)}" if query else "")


def find_default_query(entry: AppEntry, app_url: str) -> str:
    """The address with the query that the app's own address has, if the request is for the bare app; or empty."""
    query = app_url.partition("#")[0].partition("?")[2]
    is_bare = entry.raw_path == entry.address.base_path and not entry.query
    return f"{entry.url}?{query}" if query and is_bare else ""


def get_header(request: AppRequest, name: bytes) -> str:
    """A header's value; empty when there is none, or more than one to choose from."""
    values = [value for each, value in request.headers if each == name]
    return values[0].decode("latin-1").strip() if len(values) == 1 else ""


def list_cookies(request: AppRequest, name: str) -> list[str]:
    """The values of a cookie, in the browser's order."""
    wanted = name.encode()
    found: list[str] = []
    for header, value in request.headers:
        if header != b"cookie" or wanted not in value:
            continue
        for pair in value.split(b";"):
            each, _, content = pair.strip().partition(b"=")
            if each == wanted:
                found.append(content.decode("latin-1"))
    return found[:MAX_SAME_COOKIES]


def is_navigation(request: AppRequest) -> bool:
    """Whether a redirect to a page for signing in would be shown to somebody."""
    mode = get_header(request, b"sec-fetch-mode")
    return request.method in _SAFE_METHODS and not request.is_websocket and mode in ("", "navigate")


def is_foreign(request: AppRequest, origin: str) -> bool:
    """Whether a page of another origin makes the browser ask, other than by a link.

    The names of apps are of one site to browsers, so that SameSite does not keep an app from asking another one with
    the cookies of who looks at it. Where browsers say nothing of it, to http names that are not loopback's, Origin has
    to do.
    """
    named = any(name == b"origin" for name, _ in request.headers)
    is_own = not named or get_header(request, b"origin") == origin
    site = get_header(request, b"sec-fetch-site")
    if request.is_websocket or not site:
        return not is_own
    if site in ("same-origin", "none"):
        return False
    is_link = request.method in _SAFE_METHODS and get_header(request, b"sec-fetch-mode") == "navigate"
    return not is_link or get_header(request, b"sec-fetch-dest") != "document"
