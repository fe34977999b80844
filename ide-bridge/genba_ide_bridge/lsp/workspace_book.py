"""What the editor was told about workspaces, and the deltas to tell it next. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from genba_ide_bridge.lsp import messages
from genba_wire.api.agents import WorkspaceAgent
from genba_wire.api.workspaces import Workspace


def workspace_message(workspace: Workspace, base_url: str) -> messages.Workspace:
    """A workspace as editors show it."""
    build = workspace.latest_build
    return messages.Workspace(
        id=workspace.id,
        name=workspace.name,
        owner_name=workspace.owner_name,
        template_name=workspace.template_name,
        template_display_name=workspace.template_display_name or workspace.template_name,
        status=build.status,
        status_reason=build.status_reason or build.job.error,
        outdated=workspace.outdated,
        url=f"{base_url}/workspaces",
        agents=[_agent_message(agent) for resource in build.resources for agent in resource.agents],
        build_id=build.id,
        build_number=build.build_number,
        transition=build.transition,
    )


def _agent_message(agent: WorkspaceAgent) -> messages.Agent:
    return messages.Agent(
        id=agent.id,
        name=agent.name,
        status=agent.status,
        status_reason=agent.status_reason or agent.health.reason,
        lifecycle=agent.lifecycle_state,
        directory=agent.expanded_directory,
    )


class WorkspaceBook:
    """Workspaces as they were told, in the order of the gateway's list."""

    def __init__(self) -> None:
        self._told: dict[str, messages.Workspace] = {}
        self._deleted: set[str] = set()

    def list_workspaces(self) -> list[messages.Workspace]:
        """All of them."""
        return list(self._told.values())

    def apply_list(
        self, listed: Iterable[messages.Workspace], live: frozenset[str] = frozenset()
    ) -> messages.WorkspacesChanged | None:
        """Take over a whole list; returns what differs, or None.

        Args:
            listed: all workspaces.
            live: ids of those that are watched. A list may have been made before the last change that was seen of
                them, so what it says of them is not used.
        """
        found = {workspace.id: workspace for workspace in listed if not self._is_deleted(workspace)}
        added = [workspace for workspace in found.values() if workspace.id not in self._told]
        removed = [name for name in self._told if name not in found]
        changed = [
            workspace
            for workspace in found.values()
            if workspace.id in self._told and workspace.id not in live and workspace != self._told[workspace.id]
        ]
        told = {workspace.id: workspace for workspace in [*self._told.values(), *changed]}
        self._told = {name: told.get(name, workspace) for name, workspace in found.items()}
        return _changes(added, changed, removed)

    def apply_one(self, workspace: messages.Workspace) -> messages.WorkspacesChanged | None:
        """Take over what was seen of one workspace; returns what differs, or None.

        One that no list has shown is left to the list.
        """
        told = self._told.get(workspace.id)
        if told is None or told == workspace:
            return None
        if workspace.status == "deleted":
            del self._told[workspace.id]
            self._deleted.add(workspace.id)
            return _changes([], [], [workspace.id])
        self._told[workspace.id] = workspace
        return _changes([], [workspace], [])

    def clear(self) -> None:
        """Nothing was told."""
        self._told.clear()
        self._deleted.clear()

    def _is_deleted(self, workspace: messages.Workspace) -> bool:
        # A list that was made before a deletion must not bring the workspace back.
        return workspace.status == "deleted" or workspace.id in self._deleted


def _changes(
    added: list[messages.Workspace], changed: list[messages.Workspace], removed: list[str]
) -> messages.WorkspacesChanged | None:
    if not (added or changed or removed):
        return None
    return messages.WorkspacesChanged(added=added, changed=changed, removed=removed)
