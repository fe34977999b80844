"""Where an app is: the address that its agent connects to, and the target of a request to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, unquote_plus, urlsplit

from genba_gateway.errors import BadRequest
from genba_wire.tunnel.streams import TCP, UNIX, TcpOpen, UnixOpen, encode

_PORTS: Final = {"http": 80, "https": 443}
_UNIX_SCHEME: Final = "http+unix"

_TOKEN_PARAMETERS: Final = ("coder_session_token", "coder_application_connect_api_key")
"""Query parameters that carry our tokens (contract 0.2, 3.5); the second one has a suffix."""


class BadAppUrl(BadRequest):
    """The app has an address that nothing can be at."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """What an agent connects to, and the path that goes before each request's.

    It is a part of a key that is looked up several times a request: the url alone, whose hash is remembered, tells two
    apart. How many there are is no matter: they are made anew when they were forgotten, and are the same.
    """

    url: str
    kind: str = field(compare=False)
    """Of the stream: TCP, or UNIX."""
    head: bytes = field(compare=False)
    """Of the stream."""
    is_tls: bool = field(compare=False)
    host: str = field(compare=False)
    name: str = field(compare=False)
    """For people: "localhost:8080", or the socket's path."""
    base: str = field(compare=False)
    """Without a slash at its end."""


@lru_cache(maxsize=1024)
def parse_app_url(app_url: str) -> Upstream:
    """Read the address of an app: http, https, or http+unix with the socket's quoted path in place of a host.

    Raises:
        BadAppUrl: it is none.
    """
    try:
        parts = urlsplit(app_url)
        port = parts.port
    except ValueError as error:
        raise BadAppUrl(f"The app's url {app_url!r} can't be read: {error}.") from error
    base = parts.path.rstrip("/")
    if parts.scheme == _UNIX_SCHEME and parts.netloc:
        path = unquote(parts.netloc)
        return Upstream(app_url, UNIX, encode(UnixOpen(path=path)), False, "localhost", path, base)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadAppUrl(f"The app's url {app_url!r} is not of the form http://HOST:PORT or https://HOST:PORT.")
    port = port or _PORTS[parts.scheme]
    head = encode(TcpOpen(host=parts.hostname, port=port))
    return Upstream(app_url, TCP, head, parts.scheme == "https", parts.hostname, f"{parts.hostname}:{port}", base)


def make_target(upstream: Upstream, base_path: str, raw_path: str, query: str) -> bytes:
    """The request's target as the app is asked for it.

    Args:
        base_path: where the app's own paths begin; as many segments of `raw_path` are taken off, however encoded.
        query: without our own tokens in the result.

    Raises:
        BadRequest: the path is not below `base_path`.
    """
    segments = raw_path.split("/", base_path.count("/"))
    if len(segments) <= base_path.count("/"):
        raise BadRequest("The address leads to no app.")
    below = segments[-1]
    kept = strip_query(query)
    return f"{upstream.base}/{below}{'?' if kept else ''}{kept}".encode("ascii")


def strip_query(query: str) -> str:
    """A query without parameters that carry our tokens."""
    if "coder_" not in query.lower() and "%" not in query:
        return query
    return "&".join(each for each in query.split("&") if not _is_token(each))


def _is_token(parameter: str) -> bool:
    return unquote_plus(parameter.partition("=")[0]).strip().lower().startswith(_TOKEN_PARAMETERS)
