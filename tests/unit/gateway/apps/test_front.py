from __future__ import annotations

from typing import Any, cast

import pytest

from genba_gateway.apps.front import AppFront
from genba_gateway.domain.app_access import AppOrigin
from tests.support.proxied_apps import GrantEverything


@pytest.mark.parametrize(("port", "reached"), [(3001, ["dashboard"]), (3000, [])])
async def test_there_are_no_apps_where_agents_alone_are_served(port: int, reached: list[str]) -> None:
    inner = list[str]()
    sent = list[Any]()

    async def quart(_scope: Any, _receive: Any, _send: Any) -> None:
        inner.append("dashboard")

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    front = AppFront(
        quart,
        classify=lambda _host: AppOrigin.PATH,
        access=GrantEverything("agent"),
        links=cast("Any", None),
        scheme_of=lambda _origin: "http",
        agent_address=("10.0.0.1", 3001),
    )
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/@alice/demo.main/apps/web/",
        "raw_path": b"/@alice/demo.main/apps/web/",
        "query_string": b"",
        "headers": [(b"host", b"paths.test")],
        "client": ("10.0.0.9", 40000),
        "server": ("10.0.0.1", port),
    }
    await front(cast("Any", scope), receive, send)
    assert inner == reached
    assert bool(sent) is not bool(reached)
