"""What servers on the loopback interface check before they shake hands.

Such a port is open to every program of the machine, and to every web page in its browsers: a page can open a
websocket to any address, and make its own name resolve to 127.0.0.1. Pages are told by their `Origin`, which they
can't leave out, renamed hosts by `Host`; other programs don't know the token.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from websockets.asyncio.server import Server
    from websockets.datastructures import Headers

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})

TOKEN_BYTES: Final = 32
"""256 bits: nobody guesses that, so attempts need not be counted."""

CLOSE_TIMEOUT_S: Final = 0.3
"""How long a client may take to say goodbye: the bridge must end within a second."""


def make_token() -> str:
    """A token of letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_token(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return secrets.compare_digest(given.encode(), expected.encode())


def refuse_strangers(
    headers: Headers, address: str, allowed_origins: frozenset[str] = frozenset()
) -> tuple[HTTPStatus, str] | None:
    """Say why a handshake is refused, or None.

    Args:
        headers: of the request.
        address: `host:port` as clients were told.
        allowed_origins: schemes of origins that may come; a request without an origin may always.
    """
    if headers.get_all("Host") != [address]:
        return HTTPStatus.FORBIDDEN, f"Host is not {address}.\n"
    origins = headers.get_all("Origin")
    if any(urlsplit(origin).scheme not in allowed_origins for origin in origins):
        return HTTPStatus.FORBIDDEN, "Web pages are not served here: the request has an Origin.\n"
    return None


def port_of(server: Server) -> int:
    """The port that a server on one address listens on."""
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
