"""The list of workspaces for the pages, from the use cases."""

from __future__ import annotations

from collections.abc import Sequence

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.agents import agent_status
from genba_gateway.domain.workspaces import Workspace, explain_build
from genba_gateway.services.visibility import Clock
from genba_gateway.services.workspaces import Workspaces
from genba_gateway.web.rows import AgentRow, WorkspaceRow


class ListedWorkspaces:
    """Rows of a user's own workspaces (web.rows.WorkspaceRows)."""

    def __init__(self, workspaces: Workspaces, now: Clock) -> None:
        self._workspaces = workspaces
        self._now = now

    async def list_rows(self, actor: UserActor) -> Sequence[WorkspaceRow]:
        """The actor's own workspaces: running ones first, then by name."""
        page = await self._workspaces.list_matching(actor, "owner:me", limit=None, offset=0)
        return [self._row(workspace) for workspace in page.workspaces]

    def _row(self, workspace: Workspace) -> WorkspaceRow:
        now, build = self._now(), workspace.latest_build
        return WorkspaceRow(
            name=workspace.name,
            owner_name=workspace.owner_name,
            template_name=workspace.template_display_name or workspace.template_name,
            status=build.status.value,
            reason=explain_build(build),
            last_built_at=build.created_at,
            agents=tuple(
                AgentRow(agent.name, agent_status(agent, now)[0].value)
                for resource in build.resources
                for agent in resource.agents
            ),
        )
