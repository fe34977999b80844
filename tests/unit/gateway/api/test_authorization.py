"""The route that tells what its caller may do."""

from __future__ import annotations

import asyncio

from genba_gateway.config import Config
from genba_gateway.routes import make_quart_app
from tests.support.workshop import Workshop


async def test_each_check_is_answered_by_its_name(workshop: Workshop) -> None:
    workshop.app = await asyncio.to_thread(make_quart_app, Config(), workshop.services, asyncio.Event())
    read = {"object": {"resource_type": "template", "any_org": True}, "action": "read"}
    update = {"object": {"resource_type": "template"}, "action": "update"}
    body = {"checks": {"readTemplates": read, "updateTemplates": update}}
    reply = await workshop.call(workshop.member, "POST", "/authcheck", body)
    assert (reply.status, reply.body) == (200, {"readTemplates": True, "updateTemplates": False})
    assert (await workshop.call(workshop.member, "POST", "/authcheck", {})).status == 400
    assert (await workshop.call(None, "POST", "/authcheck", body)).status == 401
