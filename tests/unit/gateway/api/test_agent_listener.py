"""The address for agents alone."""

from __future__ import annotations

import pytest
from quart import Quart

from genba_gateway.api.agent_listener import install_agent_listener
from genba_gateway.api.gate import needs
from genba_gateway.domain.actors import RouteAccess


def make_app(address: tuple[str, int]) -> Quart:
    app = Quart(__name__, static_folder=None)

    @app.get("/api/v2/workspaceagents/me/manifest")
    @needs(RouteAccess.AGENT)
    async def manifest() -> str:
        return "manifest"

    @app.get("/api/v2/users/me")
    @needs(RouteAccess.SIGNED_IN)
    async def me() -> str:
        return "me"

    @app.get("/login")
    @needs(RouteAccess.PUBLIC)
    async def login() -> str:
        return "login"

    @app.get("/bin/<name>")
    @needs(RouteAccess.PUBLIC)
    async def executable(name: str) -> str:
        return name

    @app.get("/healthz")
    @needs(RouteAccess.PUBLIC)
    async def healthz() -> str:
        return "OK"

    install_agent_listener(app, address)
    return app


AGENTS = ["/api/v2/workspaceagents/me/manifest", "/bin/genba-linux-amd64", "/healthz"]
USERS = ["/api/v2/users/me", "/login", "/nothing"]


async def status(app: Quart, path: str, server: tuple[str, int]) -> int:
    client = app.test_client()
    return (await client.get(path, scope_base={"server": server})).status_code


@pytest.mark.parametrize(
    ("listen", "server"),
    [(("172.17.0.1", 3000), ("172.17.0.1", 3000)), (("0.0.0.0", 3001), ("10.0.0.7", 3001)), (("::1", 3), ("::1", 3))],
)
async def test_serves_agents_and_downloads_alone(listen: tuple[str, int], server: tuple[str, int]) -> None:
    app = make_app(listen)
    assert [await status(app, path, server) for path in AGENTS] == [200, 200, 200]
    assert [await status(app, path, server) for path in USERS] == [404, 404, 404]


async def test_the_main_address_serves_all() -> None:
    app = make_app(("172.17.0.1", 3000))
    for server in (("127.0.0.1", 3000), ("172.17.0.1", 3001)):
        assert [await status(app, path, server) for path in [*AGENTS, *USERS[:2]]] == [200] * 5
