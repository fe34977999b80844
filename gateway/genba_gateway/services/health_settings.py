"""Which sections of the health report operators have dismissed (contract, appendix B)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.audit import record_change
from genba_gateway.services.visibility import Clock, require
from genba_gateway.store import settings as setting_store
from genba_gateway.store.engine import Database
from genba_wire.api.health import HealthcheckReport

SETTING: Final = "health_settings"

SECTIONS: Final = {
    "DERP": "derp",
    "AccessURL": "access_url",
    "Websocket": "websocket",
    "Database": "database",
    "WorkspaceProxy": "workspace_proxy",
    "ProvisionerDaemons": "provisioner_daemons",
}
"""Sections by their names in settings (contract appendix C), and as keys of the report."""


class HealthSettings:
    """Use cases on what is dismissed; a dismissed section is judged and shown all the same."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    async def get(self, actor: UserActor) -> list[str]:
        """The dismissed sections."""
        require(actor, Resource.DEBUG_INFO, Action.READ)
        async with self._database.glance() as connection:
            text = await setting_store.find_setting(connection, SETTING)
        return msgspec.json.decode(text, type=list[str]) if text else []

    async def change(self, actor: UserActor, sections: Sequence[str]) -> bool:
        """Dismiss these sections and no others; False when that is so already.

        Raises:
            BadRequest: there is no such section.
        """
        require(actor, Resource.DEPLOYMENT_CONFIG, Action.UPDATE)
        unknown = [each for each in sections if each not in SECTIONS]
        if unknown:
            problem = f"{unknown[0]!r} is none of {', '.join(SECTIONS)}"
            raise BadRequest(
                "The report has no such section.", validations=[FieldProblem("dismissed_healthchecks", problem)]
            )
        wanted = [each for each in SECTIONS if each in sections]
        if wanted == await self.get(actor):
            return False
        async with self._database.write() as connection:
            await setting_store.put_setting(connection, SETTING, msgspec.json.encode(wanted).decode())
            resource = ("health_settings", "", "health settings")
            await record_change(connection, actor, self._now(), resource, {"dismissed": " ".join(wanted)})
        return True

    async def mark(self, actor: UserActor, report: HealthcheckReport) -> HealthcheckReport:
        """A report whose dismissed sections say so."""
        marked = {
            key: msgspec.structs.replace(getattr(report, key), dismissed=True)
            for key in (SECTIONS[each] for each in await self.get(actor))
        }
        return msgspec.structs.replace(report, **marked)
