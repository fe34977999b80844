"""Websockets that the gateway refuses get an answer that says why, and leave no traceback in its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from genba_wire.aio.websocket_refusals import GATEWAY_HEADER
from tests.support.real_gateway import RealGateway


async def refusal_of(gateway: RealGateway, path: str) -> tuple[int, object]:
    """The status and body that a websocket of nobody's is refused with."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws{gateway.url.removeprefix('http')}{path}", proxy=None):
            pass
    response = refused.value.response
    # By this a client knows that it was no proxy.
    assert GATEWAY_HEADER in response.headers
    return response.status_code, json.loads(response.body or b"null")


async def test_a_websocket_that_leads_nowhere_is_told_so(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway") as gateway:
        for path in ("/nowhere", "/api/v2/nowhere", "/api/v2/workspaces/x/nowhere?a=b"):
            assert await refusal_of(gateway, path) == (404, {"message": "Route not found."})
        for path in ("/api/v2/users/me", "/api/v2/buildinfo"):
            assert (await refusal_of(gateway, path))[0] == 400
        status, body = await refusal_of(gateway, "/api/v2/workspacebuilds/x/logs")
        assert status == 401
        assert isinstance(body, dict)
        assert "Traceback" not in gateway.read_log(), gateway.read_log()
