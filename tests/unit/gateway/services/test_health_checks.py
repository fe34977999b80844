"""Each check finds what is wrong; a real gateway answers in tests/unit/gateway/services/test_health.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_gateway.services import health_checks
from genba_gateway.services.health_checks import (
    DATABASE_THRESHOLD_MS,
    check_access_url,
    check_database,
    check_websocket,
)
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.cli_gateway import running_cli_gateway
from tests.support.database import make_database
from tests.support.real_gateway import free_port


class Ticks:
    """A clock that shows given times."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = list(seconds)

    def __call__(self) -> float:
        return self._seconds.pop(0)


async def test_a_database_is_well_up_to_the_threshold_and_slow_one_past_it(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    try:
        at = await check_database(database, Ticks(1.0, 1.0 + DATABASE_THRESHOLD_MS / 1000))
        past = await check_database(database, Ticks(1.0, 1.0 + (DATABASE_THRESHOLD_MS + 1) / 1000))
    finally:
        await database.close()
    assert (at.severity, at.healthy, at.latency_ms, at.warnings) == ("ok", True, DATABASE_THRESHOLD_MS, [])
    assert (past.severity, past.healthy, [each.code for each in past.warnings]) == ("warning", True, ["EDB02"])


async def test_nobody_at_the_address_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    report = await check_access_url(url, lambda: Transport(TransportOptions(url)))
    assert (report.severity, report.reachable, report.status_code) == ("error", False, 0)
    assert report.error is not None
    assert report.error.startswith("EACS03: ")
    websocket = await check_websocket(lambda: Transport(TransportOptions(url)))
    assert (websocket.severity, websocket.code) == ("error", 0)


async def test_no_answer_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_checks, "CHECK_TIMEOUT_S", 0)
    url = f"http://127.0.0.1:{free_port()}"
    access = await check_access_url(url, lambda: Transport(TransportOptions(url)))
    websocket = await check_websocket(lambda: Transport(TransportOptions(url)))
    assert (access.error, websocket.error) == ("EACS03: no answer", "EWS01: no answer")


async def test_another_server_at_the_address_is_told() -> None:
    # It knows neither /healthz nor the relay map.
    async with running_cli_gateway() as other:
        report = await check_access_url(other.url, lambda: Transport(TransportOptions(other.url)))
        websocket = await check_websocket(lambda: Transport(TransportOptions(other.url)))
    assert (report.healthy, report.reachable) == (False, True)
    assert report.error is not None
    assert report.error.startswith("EACS04: ")
    assert not websocket.healthy
    assert websocket.error is not None
    assert websocket.error.startswith("EWS01: ")
