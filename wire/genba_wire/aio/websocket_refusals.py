"""Whether a failed handshake means that websockets don't pass here: a proxy refuses them, or loses them."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from websockets.exceptions import (
    InvalidHeader,
    InvalidMessage,
    InvalidProxyMessage,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidUpgrade,
)
from websockets.http11 import Response

from genba_wire.errors import TransportError

GATEWAY_HEADER: Final = "X-Coder-Build-Version"
"""On every answer of a gateway (contract 0.2), and on no proxy's own."""

_LOST_UPGRADE: Final = frozenset({200, 426})
"""The gateway's own answers to what should be a websocket and came without its Upgrade header: where the address takes
websockets only, and where it takes plain requests too."""

_PLAIN: Final = frozenset({200, 400, 403, 404, 405, 426, 501})
"""Answers of who does not know websockets, or does not want them."""

_DOUBTFUL: Final = frozenset({500, 502, 503, 504})
"""Answers of who has lost the gateway, or broke at the handshake."""


@dataclass(frozen=True, slots=True)
class WebsocketsRefused:
    """Websockets don't pass; `reason` says who does what to them. One that is doubtful may be an outage as well."""

    reason: str
    is_doubtful: bool = False


def read_refusal(error: TransportError, base_url: str) -> WebsocketsRefused | None:
    """Tell what a failed handshake means; None when it says nothing about websockets, or the gateway said no."""
    cause = error.__cause__
    match cause:
        case InvalidStatus(response=response):
            return _read_status(response)
        case InvalidProxyStatus(response=response):
            proxy = _find_proxy(base_url)
            return WebsocketsRefused(f"{proxy} refuses CONNECT with status {response.status_code}")
        case InvalidProxyMessage():
            return WebsocketsRefused(f"{_find_proxy(base_url)} does not answer CONNECT")
        case InvalidUpgrade() | InvalidHeader():
            return WebsocketsRefused("what answers their handshake does not speak their protocol")
        case TimeoutError():
            return WebsocketsRefused("their handshake is not answered", is_doubtful=True)
        case InvalidMessage() | EOFError() | ConnectionResetError() | BrokenPipeError():
            return WebsocketsRefused("their connections are broken off in the handshake", is_doubtful=True)
        case _:
            return None


def _read_status(response: Response) -> WebsocketsRefused | None:
    status = response.status_code
    if GATEWAY_HEADER in response.headers:
        return WebsocketsRefused("their Upgrade header gets lost on the way") if status in _LOST_UPGRADE else None
    if status not in _PLAIN | _DOUBTFUL:
        return None
    who = response.headers.get("Server") or response.headers.get("Via") or "a proxy"
    return WebsocketsRefused(f"{_printable(who)} answers them with status {status}", is_doubtful=status in _DOUBTFUL)


def _find_proxy(base_url: str) -> str:
    """The proxy of the environment, without a password."""
    parts = urlsplit(base_url)
    proxy = urllib.request.getproxies().get(parts.scheme, "") or urllib.request.getproxies().get("all", "")
    there = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"the proxy {there.netloc.rpartition('@')[2]}" if proxy else "the proxy"


def _printable(text: str) -> str:
    return "".join(char for char in text[:80] if char.isprintable())
