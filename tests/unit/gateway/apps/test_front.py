from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from genba_gateway.apps.connections import UpstreamLost
from genba_gateway.apps.front import AppFront, explain
from genba_gateway.apps.responses import BadAnswer
from genba_gateway.apps.upstreams import BadAppUrl, parse_app_url
from genba_gateway.domain.app_access import AppAddress, AppOrigin, AppTarget
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


TARGET = AppTarget(
    AppAddress(AppOrigin.SUBDOMAIN, "ana", "dev", "main", "web", "/"),
    *("w", "a", "b", "http://db.inner:5432", "public", "u", "k"),
)


@pytest.mark.parametrize(
    ("error", "app_url"),
    [
        (UpstreamLost("db.inner said no."), "http://db.inner:5432"),
        (BadAnswer("db.inner said no"), "http://db.inner:5432"),
        (None, "ftp://db.inner:5432"),
    ],
)
def test_only_the_owner_is_told_where_in_the_workspace_an_app_is(error: Exception | None, app_url: str) -> None:
    if error is None:
        with pytest.raises(BadAppUrl) as raised:
            parse_app_url(app_url)
        error = raised.value
    target = replace(TARGET, app_url=app_url)
    assert "db.inner:5432" in explain(error, replace(target, is_owner=True)).message
    assert "inner" not in explain(error, target).message
