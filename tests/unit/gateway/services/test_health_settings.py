"""What operators dismiss of the health report."""

from __future__ import annotations

import asyncio

from genba_gateway.config import Config
from genba_gateway.routes import make_quart_app
from genba_gateway.services.health_settings import SECTIONS
from tests.support.workshop import Workshop

PATH = "/debug/health/settings"


async def test_sections_are_dismissed_and_the_report_says_so(workshop: Workshop) -> None:
    workshop.app = await asyncio.to_thread(make_quart_app, Config(), workshop.services, asyncio.Event())

    async def put(*sections: str) -> tuple[int, list[str]]:
        reply = await workshop.call(workshop.owner, "PUT", PATH, {"dismissed_healthchecks": list(sections)})
        return reply.status, reply.fields if reply.status == 400 else []

    assert (await workshop.get(workshop.owner, PATH)).body == {"dismissed_healthchecks": []}
    assert await put("Database", "DERP") == (200, [])
    assert await put("DERP", "Database") == (204, [])
    assert (await workshop.get(workshop.owner, PATH)).body == {"dismissed_healthchecks": ["DERP", "Database"]}
    report = (await workshop.get(workshop.owner, "/debug/health")).body
    dismissed = {section for section, key in SECTIONS.items() if report[key]["dismissed"]}
    assert dismissed == {"DERP", "Database"}
    assert await put("Weather") == (400, ["dismissed_healthchecks"])
    for method in ("GET", "PUT"):
        assert (await workshop.call(workshop.member, method, PATH, {"dismissed_healthchecks": []})).status == 403
        assert (await workshop.call(None, method, PATH, {"dismissed_healthchecks": []})).status == 401
