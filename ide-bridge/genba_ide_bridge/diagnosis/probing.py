"""Looks at the way to a gateway, over the transport that everything else uses."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from genba_ide_bridge.diagnosis.failures import classify
from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.pages import is_page
from genba_wire.api.buildinfo import BuildInfo
from genba_wire.api.message import decode_message
from genba_wire.errors import GatewayRefused, TransportError

if TYPE_CHECKING:
    import httpx

    from genba_wire.aio.transport import Transport

REQUEST_S: Final = 10.0
"""How long one request may take."""

FIRST_MESSAGE_S: Final = 10.0
"""How long the first message on a websocket may take: the gateway sends it at once."""

TIMES: Final = 3
"""Of so many round trips the quickest counts: the first ones pay for the connection."""

WEBSOCKET_PATH: Final = "/api/v2/derp-map"
"""A websocket that needs no sign-in, and on which the gateway speaks first."""

_BUILD_INFO: Final = "/api/v2/buildinfo"


async def probe(
    transport: Transport,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    request_s: float = REQUEST_S,
    first_message_s: float = FIRST_MESSAGE_S,
) -> Findings:
    """Ask a gateway a few things that need no sign-in."""
    found = Findings(url=transport.options.base_url.rstrip("/"), proxy=find_proxy(transport.options.base_url))
    try:
        response = await transport.request("GET", _BUILD_INFO, timeout_s=request_s)
    except TransportError as error:
        return replace(found, http=classify(error))
    http, access_url = _read_build_info(response)
    if http is not None:
        return replace(found, http=http)
    return replace(
        found,
        access_url=access_url,
        clock_ahead_s=_clock_ahead(response, now()),
        round_trip_ms=await _measure(transport, request_s),
        websocket=await _try_websocket(transport, first_message_s, request_s),
    )


def find_proxy(url: str) -> str:
    """The proxy that the environment names for an address, without a password; empty where there is none."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    if not proxy or urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    there = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return f"{there.scheme}://{there.netloc.rpartition('@')[2]}"


def _read_build_info(response: httpx.Response) -> tuple[Failure | None, str]:
    if 300 <= response.status_code < 400:
        target = str(response.next_request.url) if response.next_request else response.headers.get("Location", "")
        # A gateway that moved takes its paths with it; who sends everybody to one page wants something else.
        is_moved = target.endswith(_BUILD_INFO) or urlsplit(target).hostname == response.request.url.host
        kind = FailureKind.MOVED if is_moved else FailureKind.SIGN_IN_PAGE
        return Failure(kind, target.removesuffix(_BUILD_INFO), response.status_code), ""
    try:
        return None, decode_message(response.content, BuildInfo).external_url.rstrip("/")
    except msgspec.MsgspecError:
        server = response.headers.get("Server", "")
        said = f"it calls itself {server}" if server else ""
        return Failure(FailureKind.OTHER_SERVER, said, response.status_code), ""


def _clock_ahead(response: httpx.Response, now: datetime) -> float | None:
    try:
        there = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return None
    # A date without a zone is UTC (RFC 9110, section 5.6.7).
    return (now - (there if there.tzinfo else there.replace(tzinfo=UTC))).total_seconds()


async def _measure(transport: Transport, request_s: float) -> float | None:
    clock = asyncio.get_running_loop().time
    spans: list[float] = []
    for _ in range(TIMES):
        began = clock()
        try:
            await transport.request("GET", "/latency-check", timeout_s=request_s)
        except TransportError:
            return None
        spans.append(clock() - began)
    return min(spans) * 1000


async def _try_websocket(transport: Transport, first_message_s: float, request_s: float) -> Failure | None:
    from websockets.exceptions import ConnectionClosed

    try:
        async with transport.websocket(WEBSOCKET_PATH) as connection, asyncio.timeout(first_message_s):
            await connection.recv()
    except TransportError as error:
        failure = classify(error)
        return replace(failure, is_stripped=await _is_stripped(transport, failure, request_s))
    except TimeoutError:
        return Failure(FailureKind.SILENT)
    except ConnectionClosed as error:
        return Failure(FailureKind.CLOSED, str(error))
    return None


async def _is_stripped(transport: Transport, failure: Failure, request_s: float) -> bool:
    """Whether a websocket was answered as a plain request for the same is, in the gateway's own words."""
    if failure.kind is not FailureKind.STATUS:
        return False
    try:
        await transport.request("GET", WEBSOCKET_PATH, timeout_s=request_s)
    except GatewayRefused as refusal:
        return (refusal.status, refusal.message) == (failure.status, failure.detail) and not is_page(refusal.message)
    except TransportError:
        pass
    return False
