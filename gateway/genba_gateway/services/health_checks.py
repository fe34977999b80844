"""The gateway's looks at itself from outside: its database, its address, and a websocket to that address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from genba_gateway.store.engine import Database
from genba_wire.api.health import AccessUrlReport, DatabaseReport, HealthMessage, WebsocketReport
from genba_wire.errors import GatewayRefused, GatewayUnreachable

if TYPE_CHECKING:
    from genba_wire.aio.transport import Transport

DATABASE_THRESHOLD_MS: Final = 15
"""An answer that takes longer slows every request, which asks the database several times."""

CHECK_TIMEOUT_S: Final = 5.0
"""Whoever looks at the page waits for the slowest check."""

OK: Final = "ok"
WARNING: Final = "warning"
ERROR: Final = "error"

Clock = Callable[[], float]


async def check_database(database: Database, clock: Clock = time.monotonic) -> DatabaseReport:
    """Ask the database for nothing."""
    began = clock()
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), database.read() as connection:
            await connection.execute(sa.select(1))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return _database(clock() - began, error=f"EDB01: the database does not answer ({type(error).__name__})")
    return _database(clock() - began)


def _database(latency_s: float, *, error: str | None = None) -> DatabaseReport:
    latency_ms = round(latency_s * 1000)
    is_slow = error is None and latency_ms > DATABASE_THRESHOLD_MS
    slow = HealthMessage(code="EDB02", message=f"The database took {latency_ms} ms to answer.")
    return DatabaseReport(
        healthy=error is None,
        severity=ERROR if error else WARNING if is_slow else OK,
        warnings=[slow] if is_slow else [],
        dismissed=False,
        error=error,
        reachable=error is None,
        latency=f"{latency_s * 1000:.3f}ms",
        latency_ms=latency_ms,
        threshold_ms=DATABASE_THRESHOLD_MS,
    )


async def check_access_url(
    access_url: str, connect: Callable[[], AbstractAsyncContextManager[Transport]]
) -> AccessUrlReport:
    """Ask the gateway by the address that others are told whether it is up."""
    status, body, error = 0, "", None
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), connect() as transport:
            response = await transport.request("GET", "/healthz")
            status, body = response.status_code, response.text[:1000]
        if body != "OK":
            error = "EACS04: another server answers at this address"
    except GatewayRefused as refusal:
        status, error = refusal.status, f"EACS04: {refusal.message}"
    except (GatewayUnreachable, TimeoutError) as unreachable:
        error = f"EACS03: {str(unreachable) or 'no answer'}"
    return AccessUrlReport(
        healthy=error is None,
        severity=ERROR if error else OK,
        warnings=[],
        dismissed=False,
        error=error,
        access_url=access_url,
        reachable=status != 0,
        status_code=status,
        healthz_response=body,
    )


async def check_websocket(connect: Callable[[], AbstractAsyncContextManager[Transport]]) -> WebsocketReport:
    """Open a websocket by that address and wait for its first message: the relay map, which anybody may ask for."""
    from websockets.exceptions import ConnectionClosed

    code, error = 101, None
    try:
        async with (
            asyncio.timeout(CHECK_TIMEOUT_S),
            connect() as transport,
            transport.websocket("/api/v2/derp-map") as connection,
        ):
            await connection.recv()
    except GatewayRefused as refusal:
        code, error = refusal.status, f"EWS01: {refusal.message}"
    except (GatewayUnreachable, TimeoutError) as unreachable:
        code, error = 0, f"EWS01: {str(unreachable) or 'no answer'}"
    except ConnectionClosed as closed:
        error = f"EWS03: the websocket ended before its first message ({closed})"
    return WebsocketReport(
        healthy=error is None,
        severity=ERROR if error else OK,
        warnings=[],
        dismissed=False,
        error=error,
        body="",
        code=code,
    )
