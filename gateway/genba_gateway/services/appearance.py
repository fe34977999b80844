"""How the deployment presents itself: read by everybody who is signed in, changed by owners."""

from __future__ import annotations

from typing import Final

import msgspec

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.appearance import Appearance, Banner, find_problems
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.audit import record_change
from genba_gateway.services.visibility import Clock, require
from genba_gateway.store import settings as setting_store
from genba_gateway.store.engine import Database

SETTING: Final = "appearance"


class Appearances:
    """The one appearance there is; read anew each time, since another process may have changed it."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    async def get(self) -> Appearance:
        """What was chosen, or the default."""
        async with self._database.glance() as connection:
            text = await setting_store.find_setting(connection, SETTING)
        return msgspec.json.decode(text, type=Appearance) if text else Appearance()

    async def list_shown_banners(self) -> list[Banner]:
        """The announcements that are to be shown."""
        return [each for each in (await self.get()).banners if each.is_shown]

    async def change(self, actor: UserActor, appearance: Appearance) -> None:
        """Replace it.

        Raises:
            Forbidden: the actor is no owner.
            BadRequest: a part that can't be used; `validations` names it.
        """
        require(actor, Resource.DEPLOYMENT_CONFIG, Action.UPDATE, seen=True)
        problems = [FieldProblem(field, why) for field, why in find_problems(appearance)]
        if problems:
            raise BadRequest("The appearance can't be changed so.", validations=problems)
        async with self._database.write() as connection:
            await setting_store.put_setting(connection, SETTING, msgspec.json.encode(appearance).decode())
            await record_change(
                connection,
                actor,
                self._now(),
                ("appearance", "", "appearance"),
                {"announcement_banners": str(len(appearance.banners))},
            )
