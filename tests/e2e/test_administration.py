"""What a real gateway tells its owner about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.real_gateway import RealGateway


async def test_a_gateway_reaches_itself_as_others_do(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        health: Any = await gateway.fetch("GET", "/api/v2/debug/health?force=true")
        assert health["access_url"]["healthy"], health
        assert health["access_url"]["healthz_response"] == "OK"
        assert health["websocket"] | {"code": 101, "healthy": True} == health["websocket"]
        assert health["healthy"] is True
        stats: Any = await gateway.fetch("GET", "/api/v2/deployment/stats")
        assert stats["workspaces"]["running"] == 0
        config: Any = await gateway.fetch("GET", "/api/v2/deployment/config")
        assert config["config"]["access_url"] == f"http://127.0.0.1:{gateway.port}"
        proxies: Any = await gateway.fetch("GET", "/api/v2/workspaceproxies")
        assert [proxy["name"] for proxy in proxies["regions"]] == ["primary"]
        connection: Any = await gateway.fetch("GET", "/api/v2/workspaceagents/connection")
        assert connection["hostname_suffix"] == "genba"
