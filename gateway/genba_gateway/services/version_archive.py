"""Archives a template's versions that nobody needs, all at once (contract 2.2)."""

from __future__ import annotations

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.services.audit import record_change
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import templates as template_store
from genba_gateway.store.engine import Database


class VersionArchive:
    """The use case."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    async def archive_unused(self, actor: UserActor, template_id: str, *, also_good: bool) -> list[str]:
        """Archive versions that are neither the active one nor under any workspace, nor being imported.

        Args:
            actor: who asks.
            template_id: whose versions.
            also_good: those too whose import succeeded.

        Returns:
            The ids of those that were archived.
        """
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        now = self._now()
        async with self._database.write() as connection:
            template = await template_store.find_template(connection, template_id)
            if template is None or template.deleted:
                raise not_found()
            unused = await version_store.list_unused(connection, template.id, also_good=also_good)
            for version_id, name in unused:
                await version_store.update_version(connection, version_id, {"archived": True, "updated_at": now})
                resource = ("template_version", version_id, name)
                await record_change(connection, actor, now, resource, {"archived": "true"})
        return [version_id for version_id, _ in unused]
