"""Fixtures of the relay's tests: a served app, each way that an end can be. And the gateway that bridges share."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.bridge_desk import Shared, bridge_gateway, tidy
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bridges_gateway() -> AsyncGenerator[Shared]:
    """One for the module, with the id of its template; needs `asyncio(loop_scope="module")`."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with bridge_gateway(Path(folder)) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def shared(bridges_gateway: Shared) -> AsyncGenerator[Shared]:
    """The same, without workspaces."""
    yield bridges_gateway
    await tidy(bridges_gateway[0])
