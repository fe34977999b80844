"""Headers between browsers and apps: what is dropped, what is added, what is made harmless (RFC 9110, 7.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from genba_gateway.apps.cookies import scope_set_cookie, strip_cookies
from genba_gateway.domain.app_access import AppAddress, AppOrigin, AppRequest
from genba_wire.aio.transport import SESSION_TOKEN_HEADER

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

NOT_FOR_APPS: Final = _HOP_BY_HOP | {
    b"content-length",  # the framing is ours; it comes back with it
    b"expect",  # the server in front of us has answered it
    b"http2-settings",
    b"forwarded",
    b"x-real-ip",
    SESSION_TOKEN_HEADER.lower().encode(),
}

_FORWARDED: Final = (b"x-forwarded-", b"x-original-", b"x-rewrite-")
"""Only proxies say these; from a client they are lies. Servers that make variables of names take _ for -."""

_OWN_TOKEN: Final = re.compile(rb"bearer +[0-9a-z]{10}-[0-9a-z]{22}\s*", re.IGNORECASE)
_TOKEN_IN_ADDRESS: Final = re.compile(rb"coder_session_token|coder_application_connect_api_key", re.IGNORECASE)

_NOT_FOR_BROWSERS: Final = (_HOP_BY_HOP - {b"trailer"}) | {
    b"date",  # the server in front of us sends its own
    b"alt-svc",  # it would lead past the gateway
}

_WHOLE_ORIGIN: Final = frozenset({b"clear-site-data", b"strict-transport-security", b"nel", b"report-to"})
"""What changes a whole origin, which path apps share."""

_HEAD_ONLY: Final = frozenset({b"content-length", b"set-cookie", b"cache-control", b"location"}) | _WHOLE_ORIGIN

_SHARED_CACHES: Final = re.compile(rb"\s*(public|s-maxage\s*=[^,]*|proxy-revalidate)\s*", re.IGNORECASE)

REFERRER_POLICY: Final = b"strict-origin-when-cross-origin"
"""What browsers do by themselves: named, so that no page further out decides otherwise for an app."""


def for_app(request: AppRequest) -> list[tuple[bytes, bytes]]:
    """The headers of a request as the app gets them, without those of its framing and of an upgrade.

    Host stays what the browser sent: apps compare it with Origin, and make addresses of it. Several Cookie headers
    (HTTP/2) become one.
    """
    dropped = nominated(request.headers)
    kept: list[tuple[bytes, bytes]] = []
    cookies: list[bytes] = []
    for name, value in request.headers:
        if name in NOT_FOR_APPS or name in dropped:
            continue
        if name == b"cookie":
            if stripped := strip_cookies(value):
                cookies.append(stripped)
        elif not is_untrusted(name, value):
            kept.append((name, value))
    if cookies:
        kept.append((b"cookie", b"; ".join(cookies)))
    kept += [
        (b"x-forwarded-for", request.client_address.encode()),
        (b"x-forwarded-host", request.host.encode()),
        (b"x-forwarded-proto", request.scheme.encode()),
    ]
    return kept


def for_browser(headers: Headers, address: AppAddress, sharing_level: str) -> list[tuple[bytes, bytes]]:
    """The headers of an app's answer as the browser gets them, without those of its framing."""
    dropped = nominated(headers)
    is_path, is_public = address.origin is AppOrigin.PATH, sharing_level == "public"
    kept: list[tuple[bytes, bytes]] = []
    has_cache = has_referrer = False
    for name, value in headers:
        if name in _NOT_FOR_BROWSERS or name in dropped or (is_path and name in _WHOLE_ORIGIN):
            continue
        if name == b"set-cookie":
            scoped = scope_set_cookie(value, address)
            if scoped is not None:
                kept.append((name, scoped))
            continue
        if name == b"cache-control":
            has_cache = True
            value = value if is_public else keep_private(value)
        elif name == b"service-worker-allowed" and is_path:
            value = address.base_path.encode()
        has_referrer = has_referrer or name == b"referrer-policy"
        kept.append((name, value))
    if not has_cache and not is_public:
        kept.append((b"cache-control", b"private"))
    if not has_referrer:
        kept.append((b"referrer-policy", REFERRER_POLICY))
    return kept


def trailers_for_browser(trailers: Headers) -> list[tuple[bytes, bytes]]:
    """Trailers of an app's answer without what only a head may say (RFC 9110, 6.5.1)."""
    return [(name, value) for name, value in trailers if name not in _NOT_FOR_BROWSERS | _HEAD_ONLY]


def wants_trailers(headers: Headers) -> bool:
    """Whether a client said that it reads trailers."""
    return any(
        name == b"te" and b"trailers" in [each.strip().lower() for each in value.split(b",")] for name, value in headers
    )


def keep_private(cache_control: bytes) -> bytes:
    """What a cache that several people share must not keep, since only some of them may see the app."""
    directives = [each.strip() for each in cache_control.split(b",")]
    kept = [each for each in directives if each and not _SHARED_CACHES.fullmatch(each)]
    names = {each.partition(b"=")[0].strip().lower() for each in kept}
    return b", ".join(kept if names & {b"private", b"no-store"} else [*kept, b"private"])


def is_well_formed(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether headers can be written as lines: HTTP/2 and apps' cookies may hold what ends one."""
    return all(_NAME.fullmatch(name) and not _BAD_VALUE.search(value) for name, value in headers)


_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_VALUE: Final = re.compile(rb"[\x00\r\n]")


def nominated(headers: Headers) -> frozenset[bytes]:
    """What a Connection header names as its hop's business."""
    for name, _ in headers:
        if name == b"connection":
            break
    else:
        return frozenset()
    return frozenset(
        token.strip().lower() for name, value in headers if name == b"connection" for token in value.split(b",")
    ) - {b"host", b"cookie", b"set-cookie"}


def is_untrusted(name: bytes, value: bytes) -> bool:
    """Whether the client says what only proxies say, or shows a token of ours."""
    if name.startswith(b"x") and name.replace(b"_", b"-").startswith(_FORWARDED):
        return True
    if name == b"authorization":
        return _OWN_TOKEN.fullmatch(value) is not None
    if name == b"referer":
        return _TOKEN_IN_ADDRESS.search(value) is not None
    return b"_" in name and name.replace(b"_", b"-") in NOT_FOR_APPS
