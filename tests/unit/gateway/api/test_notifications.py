from __future__ import annotations

import asyncio

from genba_gateway.api import notifications
from tests.support.gateway_app import make_app
from tests.support.workshop import Workshop


async def test_whoever_asks_is_told_that_there_are_no_notifications(workshop: Workshop) -> None:
    blueprint = notifications.make_blueprint(workshop.services.users)
    workshop.app = await asyncio.to_thread(make_app, workshop.database, blueprint)
    member = workshop.member
    assert (await workshop.get(member, "/notifications/templates/system")).body == []
    assert (await workshop.get(member, "/users/me/notifications/preferences")).body == []
    assert (await workshop.get(member, "/users/nobody/notifications/preferences")).status == 404
    assert (await workshop.get(workshop.owner, "/users/mia/notifications/preferences")).body == []
