"""Opening a carrier over plain HTTP requests (docs/protocol.md, "Carriers over HTTP requests")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import httpx
import msgspec

from genba_wire.aio.http_carrier import DownWay, HttpCarrier, UpWay
from genba_wire.api.http_carriers import (
    CARRIER_HEADER,
    DOWN_SUFFIX,
    KEEP_ALIVE_S,
    OPEN_SUFFIX,
    UP_SUFFIX,
    HttpCarrierOpened,
)
from genba_wire.api.message import decode_message
from genba_wire.errors import HttpWayClosed, RemoteProtocolError
from genba_wire.http_frames import HttpEvent, HttpFrameReader

OPEN_S: Final = 15.0
"""How long a connection, or an answer, may take to come: as long as a websocket's handshake."""

FIRST_FRAME_S: Final = 5.0
"""How long the first frame may take behind the head of its answer: the gateway sends both at once."""

SILENT_S: Final = 2 * KEEP_ALIVE_S + 5
"""An answer on which nothing came for so long is dead."""

IDLE_CONNECTION_S: Final = 60.0
"""How long a connection is kept for the next request: whoever types should not wait for TLS. Proxies drop theirs after
75 s, the gateway after 120."""

Refuse = Callable[[httpx.Response], Exception]
"""Makes an error of an answer that is a refusal."""


def make_limits() -> httpx.Limits:
    """Each carrier keeps one connection for its answer, and has another for its requests; nothing here counts them."""
    return httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=IDLE_CONNECTION_S)


async def open_http_carrier(
    client: httpx.AsyncClient,
    path: str,
    *,
    params: Mapping[str, str] | None,
    headers: Mapping[str, str],
    refuse: Refuse,
    first_frame_s: float = FIRST_FRAME_S,
) -> HttpCarrier:
    """Open a carrier; the caller closes it.

    Args:
        path: of the websocket.
        headers: of all of its requests; the usual ones are the client's.
        refuse: makes the error of a refusal.

    Raises:
        httpx.HTTPError: no answer.
        HttpWayClosed: an answer that is no gateway's, or one that something on the way holds back.
    """
    response = await client.post(path + OPEN_SUFFIX, params=params, headers=headers, timeout=OPEN_S)
    if response.status_code != 201:
        raise refuse(response)
    try:
        secret = decode_message(response.content, HttpCarrierOpened).carrier
    except msgspec.MsgspecError as error:
        raise HttpWayClosed("What opens a connection over HTTP requests was answered by no gateway.") from error
    own = {**headers, CARRIER_HEADER: secret}
    down = await _open_down(client, path + DOWN_SUFFIX, own, refuse, first_frame_s)
    return HttpCarrier(down, UpWay(client, path + UP_SUFFIX, own))


async def _open_down(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], refuse: Refuse, first_frame_s: float
) -> DownWay:
    timeout = httpx.Timeout(OPEN_S, read=SILENT_S)
    request = client.build_request("GET", path, headers={**headers, "Accept-Encoding": "identity"}, timeout=timeout)
    response = await client.send(request, stream=True)
    try:
        if response.status_code != 200:
            await response.aread()
            raise refuse(response)
        chunks = response.aiter_raw()
        reader = HttpFrameReader()
        early: list[HttpEvent] = []
        async with asyncio.timeout(first_frame_s):
            while not reader.frames:
                early += reader.feed(await anext(chunks))
    except TimeoutError as error:
        await response.aclose()
        raise HttpWayClosed(
            "Websockets are refused on the way to the gateway, and answers are held back until they are whole: "
            "a proxy there has to pass on what comes at once (in nginx `proxy_buffering off`)."
        ) from error
    except (RemoteProtocolError, StopAsyncIteration) as error:
        await response.aclose()
        raise HttpWayClosed("What comes down over HTTP requests is no gateway's.") from error
    except BaseException:
        await response.aclose()
        raise
    return DownWay(response, chunks, reader, early)
