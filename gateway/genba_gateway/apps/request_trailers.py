"""Trailers of requests on their way to an app: what came behind a body, such as a checksum of it (RFC 9110, 6.5).

Servers may take them for headers, and merge them with those of the head, long after everything was decided by the head.
So nothing passes that a head decides by, nor a name that the head has already.
"""

from __future__ import annotations

from typing import Final

from genba_gateway.apps.headers import NOT_FOR_APPS, Headers, is_untrusted, is_well_formed, nominated
from genba_gateway.apps.requests import PASSED_HEADER

MAX_TRAILERS: Final = 64
"""Of one request; who sends trailers sends a few."""

MAX_TRAILERS_BYTES: Final = 8192
"""Of all their names and values: about what servers take of a head."""

_HEAD_ONLY: Final = NOT_FOR_APPS | {
    b"authorization",
    b"cache-control",
    b"cookie",
    b"cookie2",
    b"date",
    b"from",
    b"host",
    b"max-forwards",
    b"origin",
    b"pragma",
    b"priority",
    b"range",
    b"referer",
    b"set-cookie",
    b"upgrade-insecure-requests",
    b"user-agent",
    b"via",
    PASSED_HEADER,
}
"""What routes a request, frames it, says whose it is, or how it is to be answered (RFC 9110, 6.5.1)."""

_HEAD_ONLY_PREFIXES: Final = (
    b"accept",
    b"access-control-",
    b"coder-",
    b"content-",
    b"if-",
    b"proxy-",
    b"sec-",
    b"x-http-method",
    b"x-method-override",
)

_KNOWN_BEHIND: Final = frozenset({b"content-digest", b"content-md5"})
"""What can be known only when the body is over (RFC 9530, 2)."""


class BadTrailers(Exception):
    """There are more than a request may have."""


def trailers_for_app(trailers: Headers, head: Headers) -> list[tuple[bytes, bytes]]:
    """The trailers of a request as the app gets them.

    Args:
        trailers: as they came, names in lower case.
        head: the headers of the same request.

    Raises:
        BadTrailers: a limit is passed.
    """
    if len(trailers) > MAX_TRAILERS:
        raise BadTrailers(f"The request has more than {MAX_TRAILERS} trailers.")
    if sum(len(name) + len(value) for name, value in trailers) > MAX_TRAILERS_BYTES:
        raise BadTrailers(f"The request's trailers are longer than {MAX_TRAILERS_BYTES} bytes.")
    dropped = _names_of(head)
    return [(name, value) for name, value in trailers if _may_trail(name, value, dropped)]


def name_trailers(head: Headers) -> list[tuple[bytes, bytes]]:
    """The header that names the trailers to come, if the client named some that may."""
    named = b",".join(value for name, value in head if name == b"trailer")
    if not named:
        return []
    dropped = _names_of(head)
    names = dict.fromkeys(each.strip().lower() for each in named.split(b","))
    kept = [name for name in names if _may_trail(name, b"", dropped)]
    return [(b"trailer", b", ".join(kept))] if kept else []


def _names_of(head: Headers) -> frozenset[bytes]:
    return frozenset(name for name, _ in head) | nominated(head)


def _may_trail(name: bytes, value: bytes, dropped: frozenset[bytes]) -> bool:
    # Servers that make variables of names take _ for -: one may read what another has looked for in vain.
    if b"_" in name or name in dropped or name in _HEAD_ONLY or not is_well_formed([(name, value)]):
        return False
    if name.startswith(_HEAD_ONLY_PREFIXES) and name not in _KNOWN_BEHIND:
        return False
    return not is_untrusted(name, value)
