"""Templates (contract 4.2)."""

from __future__ import annotations

import uuid
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.channels import of_workspace
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.names import explain_bad_display_name, explain_bad_name
from genba_gateway.domain.port_shares import DEFAULT_MAXIMUM
from genba_gateway.domain.template_query import parse_template_query
from genba_gateway.domain.templates import BuildTimes, Template
from genba_gateway.errors import BadRequest, Conflict, FieldProblem
from genba_gateway.services.searches import refuse_bad_search
from genba_gateway.services.template_settings import check_template_settings
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import organizations as organization_store
from genba_gateway.store import port_shares as share_store
from genba_gateway.store import template_versions as version_store
from genba_gateway.store import templates as template_store
from genba_gateway.store.audit_logs import insert_audit_log
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_wire.api.templates import CreateTemplateRequest, UpdateTemplateRequest

DEFAULT_ACTIVITY_BUMP_MS = 3_600_000
"""One hour (contract 4.2)."""

_CHANGEABLE: Final = (
    "name",
    "display_name",
    "description",
    "icon",
    "default_ttl_ms",
    "activity_bump_ms",
    "allow_user_cancel_workspace_jobs",
    "allow_user_autostart",
    "allow_user_autostop",
    "require_active_version",
    "max_port_share_level",
    "deprecation_message",
)


class Templates:
    """Use cases on templates."""

    def __init__(self, database: Database, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._pubsub = pubsub
        self._now = now

    async def create(self, actor: UserActor, organization_id: str, request: CreateTemplateRequest) -> Template:
        """Make a template of an imported version that belongs to none.

        Raises:
            BadRequest: a bad name or setting; the version is absent, belongs to a template, is archived or did not
                succeed.
            Conflict: the name is taken.
        """
        require(actor, Resource.TEMPLATE, Action.CREATE, seen=True)
        _check_names(request.name, request.display_name)
        check_template_settings(request)
        now = self._now()
        async with self._database.write() as connection:
            organization = await organization_store.find_organization(connection, organization_id)
            if organization is None:
                raise not_found()
            version = await version_store.find_version(connection, request.template_version_id)
            if version is None:
                raise BadRequest(
                    f"Template version {request.template_version_id!r} does not exist.",
                    validations=[FieldProblem("template_version_id", "does not exist")],
                )
            if version.template_id is not None:
                raise BadRequest(f"Template version {version.name!r} belongs to a template already.")
            if version.archived:
                raise BadRequest(f"Template version {version.name!r} is archived: unarchive it first.")
            if version.job.status is not JobStatus.SUCCEEDED:
                raise BadRequest(
                    f"The import of template version {version.name!r} has status {version.job.status}: "
                    "a template needs one that succeeded."
                )
            template = Template(
                id=str(uuid.uuid4()),
                organization_id=organization.id,
                organization_name=organization.name,
                organization_display_name=organization.display_name,
                organization_icon=organization.icon,
                name=request.name,
                display_name=request.display_name,
                description=request.description,
                icon=request.icon,
                provisioner="terraform",
                active_version_id=version.id,
                created_by=actor.user_id,
                created_by_name=actor.username,
                default_ttl_ms=request.default_ttl_ms or 0,
                activity_bump_ms=_or(request.activity_bump_ms, DEFAULT_ACTIVITY_BUMP_MS),
                allow_user_cancel_workspace_jobs=request.allow_user_cancel_workspace_jobs is not False,
                allow_user_autostart=request.allow_user_autostart is not False,
                allow_user_autostop=request.allow_user_autostop is not False,
                require_active_version=request.require_active_version,
                max_port_share_level=request.max_port_share_level or DEFAULT_MAXIMUM,
                deprecation_message="",
                created_at=now,
                updated_at=now,
                deleted=False,
            )
            try:
                await template_store.insert_template(connection, template)
            except IntegrityError as error:
                raise _name_taken(request.name) from error
            await version_store.update_version(connection, version.id, {"template_id": template.id, "updated_at": now})
            await self._audit(connection, actor, template, "create")
        return template

    async def get(self, actor: UserActor, template_id: str) -> Template:
        """One template that is not deleted."""
        require(actor, Resource.TEMPLATE, Action.READ)
        async with self._database.read() as connection:
            template = await template_store.find_template(connection, template_id)
        if template is None or template.deleted:
            raise not_found()
        return template

    async def get_by_name(self, actor: UserActor, organization_id: str, name: str) -> Template:
        """One template of an organization."""
        require(actor, Resource.TEMPLATE, Action.READ)
        async with self._database.read() as connection:
            template = await template_store.find_template_by_name(connection, organization_id, name)
        if template is None:
            raise not_found()
        return template

    async def list_matching(self, actor: UserActor, text: str, *, organization_id: str = "") -> list[Template]:
        """Templates that match a search, by name; `organization_id` leaves those of one organization.

        Raises:
            BadRequest: an unknown key or a bad value; `validations` names it.
        """
        require(actor, Resource.TEMPLATE, Action.READ)
        with refuse_bad_search("template"):
            query = parse_template_query(text)
        async with self._database.read() as connection:
            found = await template_store.list_templates(connection, query)
        return [each for each in found if organization_id in {"", each.organization_id}]

    async def get_build_times(self, template: Template) -> dict[str, BuildTimes]:
        """How long its recent builds took, by transition."""
        async with self._database.read() as connection:
            return await template_store.get_build_times(connection, template.id)

    async def update(self, actor: UserActor, template_id: str, request: UpdateTemplateRequest) -> Template | None:
        """Change what the request names; None when nothing would change (304).

        Shared ports above a lower maximum are shared with fewer people at once, or with nobody.

        Raises:
            BadRequest: a bad name or setting; `validations` names it.
            Conflict: the name is taken.
        """
        template = await self.get(actor, template_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        check_template_settings(request)
        changes = _list_changes(template, request)
        if not changes:
            return None
        maximum = changes.get("max_port_share_level")
        shared_less: set[str] = set()
        _check_names(str(changes.get("name", template.name)), str(changes.get("display_name", "")))
        async with self._database.write() as connection:
            try:
                await template_store.update_template(connection, template_id, {**changes, "updated_at": self._now()})
            except IntegrityError as error:
                raise _name_taken(str(changes.get("name"))) from error
            if maximum is not None:
                shared_less = await share_store.lower_port_shares(connection, template_id, str(maximum))
            await self._audit(connection, actor, template, "write")
        self._pubsub.publish(*(of_workspace(workspace_id) for workspace_id in shared_less))
        return await self.get(actor, template_id)

    async def promote(self, actor: UserActor, template_id: str, version_id: str) -> None:
        """Make a version the active one.

        Raises:
            BadRequest: it belongs to another template, is archived, or its import did not succeed.
        """
        template = await self.get(actor, template_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        async with self._database.write() as connection:
            version = await version_store.find_version(connection, version_id)
            if version is None or version.template_id != template.id:
                raise BadRequest(f"Template {template.name!r} has no version {version_id}.")
            if version.archived:
                raise BadRequest(f"Version {version.name!r} is archived: unarchive it first.")
            if version.job.status is not JobStatus.SUCCEEDED:
                raise BadRequest(f"The import of version {version.name!r} is {version.job.status}.")
            values = {"active_version_id": version.id, "updated_at": self._now()}
            await template_store.update_template(connection, template.id, values)
            await self._audit(connection, actor, template, "write")

    async def delete(self, actor: UserActor, template_id: str) -> None:
        """Delete a template without workspaces.

        Raises:
            BadRequest: it has workspaces.
        """
        template = await self.get(actor, template_id)
        require(actor, Resource.TEMPLATE, Action.DELETE, seen=True)
        async with self._database.write() as connection:
            count = await template_store.count_workspaces(connection, template_id)
            if count:
                raise BadRequest(
                    f"Template {template.name!r} has {count} workspace{'s' if count > 1 else ''}: delete them first."
                )
            await template_store.update_template(connection, template_id, {"deleted": True, "updated_at": self._now()})
            await self._audit(connection, actor, template, "delete")

    async def _audit(self, connection: AsyncConnection, actor: UserActor, template: Template, action: str) -> None:
        await insert_audit_log(
            connection,
            now=self._now(),
            user_id=actor.user_id,
            organization_id=template.organization_id,
            action=action,
            resource_type="template",
            resource_id=template.id,
            resource_target=template.name,
            ip_address=actor.ip_address,
            user_agent=actor.user_agent,
        )


def _list_changes(template: Template, request: UpdateTemplateRequest) -> dict[str, object]:
    named = {name: getattr(request, name) for name in _CHANGEABLE}
    if not named["max_port_share_level"]:  # clients send it empty for none
        del named["max_port_share_level"]
    return {name: value for name, value in named.items() if value is not None and value != getattr(template, name)}


def _check_names(name: str, display_name: str) -> None:
    problems: list[FieldProblem] = []
    if (wrong := explain_bad_name(name)) is not None:
        problems.append(FieldProblem("name", wrong))
    if (wrong := explain_bad_display_name(display_name)) is not None:
        problems.append(FieldProblem("display_name", wrong))
    if problems:
        raise BadRequest(f"The name {name!r} can't be used: it {problems[0].detail}.", validations=problems)


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f"There is a template named {name!r} already: choose another name, or push a version to it.",
        validations=[FieldProblem("name", "is taken")],
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
