"""The routes by which owners look at the deployment."""

from __future__ import annotations

import asyncio

import pytest
from quart import Quart

from genba_gateway.api import administration
from genba_gateway.config import Config
from tests.support.gateway_app import make_app
from tests.support.workshop import Workshop

CONFIG = Config(listen="127.0.0.1:1", database_url="postgresql://u:hunter22@db/x")


@pytest.fixture
async def app(workshop: Workshop) -> Quart:
    s = workshop.services
    blueprint = administration.make_blueprint(CONFIG, s.deployment_usage, s.health, s.health_settings)
    return await asyncio.to_thread(make_app, workshop.database, blueprint)


async def ask(app: Quart, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    response = await app.test_client().get(f"/api/v2{path}", headers=headers or {})
    return response.status_code, await response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "status"), [("/deployment/config", 403), ("/deployment/stats", 403), ("/debug/health", 404)]
)
async def test_owners_alone_look_at_the_deployment(app: Quart, workshop: Workshop, path: str, status: int) -> None:
    assert (await ask(app, path))[0] == 401
    assert (await ask(app, path, workshop.member.headers))[0] == status
    assert (await ask(app, path, workshop.owner.headers))[0] == 200


async def test_no_secret_is_shown(app: Quart, workshop: Workshop) -> None:
    _, body = await ask(app, "/deployment/config", workshop.owner.headers)
    assert '"GENBA_DATABASE_URL"' in body
    assert "hunter22" not in body


async def test_a_look_is_repeated_when_it_is_forced(app: Quart, workshop: Workshop) -> None:
    first = await ask(app, "/debug/health", workshop.owner.headers)
    workshop.clock.move(1)
    assert await ask(app, "/debug/health", workshop.owner.headers) == first
    assert await ask(app, "/debug/health?force=true", workshop.owner.headers) != first
