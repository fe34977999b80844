"""What a user may do, for clients that show only what would be allowed (contract 5.2, authcheck)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import CONTRACT_RESOURCES, Action, Permission, Resource, UserActor
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_wire.api.authorization import AuthorizationCheck

MAX_CHECKS: Final = 256
"""In one request; pages ask for some tens."""


class Authorization:
    """Answers what the actor may do; it lets nobody do anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self, actor: UserActor, checks: Mapping[str, AuthorizationCheck]) -> dict[str, bool]:
        """Whether each of some actions would be allowed.

        Raises:
            BadRequest: too many, or of a kind of resource that there is not.
        """
        if len(checks) > MAX_CHECKS:
            raise BadRequest(
                f"{len(checks)} checks are too many: ask for at most {MAX_CHECKS} at once.",
                validations=[FieldProblem("checks", f"must be at most {MAX_CHECKS}")],
            )
        problems = [
            FieldProblem(f"checks.{name}.object.resource_type", f"{each.object.resource_type!r} is no kind of resource")
            for name, each in checks.items()
            if each.object.resource_type not in CONTRACT_RESOURCES
        ]
        if problems:
            raise BadRequest("A check asks for what there is not.", validations=problems)
        async with self._database.read() as connection:
            return {name: await self._may(connection, actor, each) for name, each in checks.items()}

    async def _may(self, connection: AsyncConnection, actor: UserActor, check: AuthorizationCheck) -> bool:
        thing = check.object
        owner_id = actor.user_id if thing.owner_id == "me" else thing.owner_id or None
        if thing.resource_type == Resource.WORKSPACE and thing.resource_id:
            # Whoever asks may be wrong about whose it is.
            workspace = await workspace_store.find_workspace(connection, thing.resource_id.lower())
            owner_id = workspace.owner_id if workspace is not None else None
        elif thing.resource_type == Resource.USER and thing.resource_id:
            owner_id = thing.resource_id.lower()
        try:
            permission = Permission(Resource(thing.resource_type), Action(check.action))
        except ValueError:
            return actor.is_owner  # nothing of that kind is here yet, and owners may do what there is
        return actor.may(permission, owner_id)
