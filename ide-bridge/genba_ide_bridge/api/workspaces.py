"""Workspaces and their builds (contract 2.6, 4.3)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from genba_ide_bridge.api.calls import in_path
from genba_wire.api.workspaces import (
    BuildParameter,
    CreateBuildRequest,
    CreateWorkspaceRequest,
    Workspace,
    WorkspaceBuild,
    WorkspacesResponse,
)
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.calls import Calls


class WorkspacesApi:
    """Routes below /workspaces, /workspacebuilds and /users/{u}/workspace."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list_workspaces(self, query: str) -> list[Workspace]:
        """Workspaces that fit a search; the empty one is for all that the caller may see."""
        params = {"q": query} if query else None
        return (await self._calls.fetch("GET", "/workspaces", WorkspacesResponse, params=params)).workspaces

    async def list_workspaces_json(self, query: str) -> object:
        """The same as `{"workspaces": [...], "count": n}`, as it came."""
        return await self._calls.fetch_json("GET", "/workspaces", params={"q": query} if query else None)

    async def get_workspace(self, owner: str, name: str) -> Workspace:
        """A workspace by its names."""
        return await self._calls.fetch("GET", _by_name(owner, name), Workspace)

    async def get_workspace_json(self, owner: str, name: str) -> object:
        """The same, as it came."""
        return await self._calls.fetch_json("GET", _by_name(owner, name))

    async def find_workspace(self, owner: str, name: str) -> Workspace | None:
        """A workspace by its names, or None."""
        try:
            return await self.get_workspace(owner, name)
        except GatewayRefused as refusal:
            if refusal.status in (404, 410):
                return None
            raise

    async def get_workspace_by_id(self, workspace_id: str) -> Workspace:
        """A workspace, even when it was deleted."""
        path = f"/workspaces/{in_path(workspace_id)}"
        return await self._calls.fetch("GET", path, Workspace, params={"include_deleted": "true"})

    async def create_workspace(self, owner: str, request: CreateWorkspaceRequest) -> Workspace:
        """Make a workspace and start its first build."""
        return await self._calls.fetch("POST", f"/users/{in_path(owner)}/workspaces", Workspace, body=request)

    async def wake_workspace(self, workspace_id: str) -> None:
        """Take a workspace out of dormancy."""
        body = {"dormant": False}
        await self._calls.send("PUT", f"/workspaces/{in_path(workspace_id)}/dormant", body=body)

    async def rename(self, workspace_id: str, name: str) -> None:
        """Give a workspace another name."""
        await self._calls.send("PATCH", f"/workspaces/{in_path(workspace_id)}", body={"name": name})

    async def set_autostart(self, workspace_id: str, schedule: str | None) -> None:
        """On what schedule a workspace starts by itself; None for never."""
        await self._calls.send("PUT", f"/workspaces/{in_path(workspace_id)}/autostart", body={"schedule": schedule})

    async def set_ttl(self, workspace_id: str, ttl_ms: int | None) -> None:
        """How long after a start a workspace stops by itself; None for never."""
        await self._calls.send("PUT", f"/workspaces/{in_path(workspace_id)}/ttl", body={"ttl_ms": ttl_ms})

    async def extend(self, workspace_id: str, deadline: datetime) -> None:
        """When a running workspace stops by itself."""
        body = {"deadline": deadline.isoformat()}
        await self._calls.send("PUT", f"/workspaces/{in_path(workspace_id)}/extend", body=body)

    async def set_automatic_updates(self, workspace_id: str, policy: str) -> None:
        """Whether starts take the template's active version: `always` or `never`."""
        body = {"automatic_updates": policy}
        await self._calls.send("PUT", f"/workspaces/{in_path(workspace_id)}/autoupdates", body=body)

    async def set_favorite(self, workspace_id: str, *, favorite: bool) -> None:
        """Whether it comes first in its owner's list."""
        method = "PUT" if favorite else "DELETE"
        await self._calls.send(method, f"/workspaces/{in_path(workspace_id)}/favorite")

    async def report_usage(self, workspace_id: str, agent_id: str, app_name: str) -> None:
        """Tell that an app (`vscode`, `jetbrains`, `reconnecting-pty`, `ssh`) is used in a workspace."""
        body = {"agent_id": agent_id, "app_name": app_name}
        await self._calls.send("POST", f"/workspaces/{in_path(workspace_id)}/usage", body=body)

    async def create_build(self, workspace_id: str, request: CreateBuildRequest) -> WorkspaceBuild:
        """Start, stop or delete."""
        path = f"/workspaces/{in_path(workspace_id)}/builds"
        return await self._calls.fetch("POST", path, WorkspaceBuild, body=request)

    async def get_build(self, build_id: str) -> WorkspaceBuild:
        """A build with its job and resources."""
        return await self._calls.fetch("GET", f"/workspacebuilds/{in_path(build_id)}", WorkspaceBuild)

    async def find_build_by_number(self, workspace: Workspace, number: int) -> WorkspaceBuild | None:
        """A build of a workspace by its number; None when there is none (yet)."""
        path = f"{_by_name(workspace.owner_name, workspace.name)}/builds/{number}"
        try:
            return await self._calls.fetch("GET", path, WorkspaceBuild)
        except GatewayRefused as refusal:
            if refusal.status not in (404, 410):
                raise
        # The route by number goes through the workspace's name, which a deleted workspace gave up.
        try:
            latest = (await self.get_workspace_by_id(workspace.id)).latest_build
        except GatewayRefused as refusal:
            if refusal.status not in (404, 410):
                raise
            return None
        return latest if latest.build_number == number else None

    async def list_build_parameters(self, build_id: str) -> list[BuildParameter]:
        """Values that a build was made with."""
        path = f"/workspacebuilds/{in_path(build_id)}/parameters"
        return await self._calls.fetch("GET", path, list[BuildParameter])

    async def download_state(self, build_id: str) -> bytes:
        """Terraform's state after a build."""
        return (await self._calls.send("GET", f"/workspacebuilds/{in_path(build_id)}/state")).content


def workspaces_of(raw: object) -> list[object]:
    """The list in an answer of `list_workspaces_json`."""
    return msgspec.convert(raw, _RawWorkspaces).workspaces


class _RawWorkspaces(msgspec.Struct):
    workspaces: list[object]


def _by_name(owner: str, name: str) -> str:
    return f"/users/{in_path(owner)}/workspace/{in_path(name)}"
