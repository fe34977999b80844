"""Where an app listens in the workspace: the `url` of a `coder_app` and of its health check.

Beside http and https, an app may listen on a unix socket, which is out of reach of the machine's other users and needs
no port: `http+unix://<path of the socket>/<path of the request>`, the first of them percent-encoded with its slashes,
and absolute or below the home folder of the agent's user: `http+unix://.app%2Fsocket/healthz`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

SOCKET_SCHEME: Final = "http+unix"


@dataclass(frozen=True, slots=True)
class SocketUrl:
    """An address on a unix socket."""

    socket: str
    """The path of the socket, absolute or below the home folder."""
    target: str
    """The path of the request, with its query; at least a slash."""


def read_socket_url(url: str) -> SocketUrl | None:
    """Take the address of an app on a unix socket apart; None for any other.

    Raises:
        ValueError: it names no socket.
    """
    parts = urlsplit(url)
    if parts.scheme != SOCKET_SCHEME:
        return None
    # Not `hostname`, which is in lower case.
    socket = unquote(parts.netloc, errors="strict")
    if not socket or "\0" in socket:
        raise ValueError(f"{url} names no unix socket: write http+unix://PATH/, with %2F for the slashes of PATH.")
    query = f"?{parts.query}" if parts.query else ""
    return SocketUrl(socket, f"{parts.path or '/'}{query}")
