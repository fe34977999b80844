"""What a new build shall be, and whether its version may be started."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, FieldProblem, Forbidden


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What a new build shall be; `workspace` may lack a latest build (the first one)."""

    workspace_id: str
    workspace_name: str
    owner_id: str
    organization_id: str
    number: int
    transition: Transition
    version: TemplateVersion
    given: dict[str, str]
    previous: dict[str, str]
    reason: str = "initiator"
    orphan: bool = False
    debug: bool = False
    state: bytes | None = None
    preset_id: str = ""
    required_version_id: str = ""
    """The only version that may be started by somebody who may not change the template; empty for any."""


@dataclass(frozen=True, slots=True)
class OwnAccord:
    """A build that the gateway begins by itself: why, and whether it still has to when the workspace is its own."""

    reason: str
    is_due: Callable[[AsyncConnection, Workspace], Awaitable[bool]]


def require_startable(actor: UserActor, plan: BuildPlan) -> None:
    """Refuse a start of a version that is not for use; a stop or delete may need just that one.

    Raises:
        BadRequest: the version is archived.
        Forbidden: the template requires another version.
    """
    version, required = plan.version, plan.required_version_id
    if version.archived:
        raise BadRequest(
            f"Template version {version.name!r} is archived: choose another one, or unarchive it.",
            validations=[FieldProblem("template_version_id", "is archived")],
        )
    if required and version.id != required and not actor.may(Permission(Resource.TEMPLATE, Action.UPDATE)):
        raise Forbidden(
            f"The template requires its active version, and {version.name!r} is another one: update the workspace.",
            validations=[FieldProblem("template_version_id", "must be the active version")],
        )
