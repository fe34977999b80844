"""Fixtures of the relay's tests: a served app, each way that an end can be."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.relay_app import RelayApp, serve_relay, switch_takeover
from tests.support.tls import make_server_tls


@pytest.fixture(params=["taken", "quart"])
def is_taken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways."""
    switch_takeover(monkeypatch, is_on=request.param == "taken")
    return bool(request.param == "taken")


@pytest.fixture
async def relay(is_taken: bool) -> AsyncGenerator[RelayApp]:
    """Served without TLS."""
    async with serve_relay() as served:
        yield served
        assert set(served.taken) <= {is_taken}


@pytest.fixture(params=["plain", "tls"])
async def any_relay(request: pytest.FixtureRequest, is_taken: bool, tmp_path: Path) -> AsyncGenerator[RelayApp]:
    """Served without and with TLS."""
    async with serve_relay(make_server_tls(tmp_path) if request.param == "tls" else None) as served:
        yield served
        assert set(served.taken) <= {is_taken}
