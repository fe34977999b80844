"""Presets of template versions, and what a build takes from one (contract 4.2)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.provisioning import TemplatePreset
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.template_versions import TemplateVersions
from genba_gateway.store import presets as preset_store
from genba_gateway.store.engine import Database


class Presets:
    """Use cases on presets."""

    def __init__(self, database: Database, versions: TemplateVersions) -> None:
        self._database = database
        self._versions = versions

    async def list_of_version(self, actor: UserActor, version_id: str) -> list[tuple[str, TemplatePreset]]:
        """Presets of a version with their ids, the default one first; none while it is being imported."""
        version = await self._versions.get(actor, version_id)
        async with self._database.read() as connection:
            return await preset_store.list_presets(connection, version.id)


async def add_preset_values(
    connection: AsyncConnection, version: TemplateVersion, preset_id: str, given: Mapping[str, str]
) -> dict[str, str]:
    """The values that a user gave, with those of a preset, if there is one.

    Raises:
        BadRequest: the version has no such preset, or a value was given that is another one than the preset's.
    """
    if not preset_id:
        return dict(given)
    found = dict(await preset_store.list_presets(connection, version.id)).get(preset_id.lower())
    if found is None:
        raise BadRequest(
            f"Template version {version.name!r} has no preset {preset_id}: choose one of this version.",
            validations=[FieldProblem("template_version_preset_id", "is not of this version")],
        )
    for name, value in found.parameters.items():
        if given.get(name, value) != value:
            raise BadRequest(
                f"Parameter {name!r}: preset {found.name!r} sets it: leave it out, or choose no preset.",
                validations=[FieldProblem(name, "is set by the preset")],
            )
    return {**given, **found.parameters}
