"""Starts and stops workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from genba_ide_bridge.lsp.messages import BuildResult
from genba_wire.api.workspaces import CreateBuildRequest, WorkspaceBuild

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace

_STARTED: Final = frozenset({"pending", "starting", "running"})
_STOPPED: Final = frozenset({"pending", "stopping", "stopped"})


async def start_workspace(client: GatewayClient, workspace_id: str) -> BuildResult:
    """Start a workspace; one that runs or starts already stays as it is.

    Raises:
        GatewayUnreachable, GatewayRefused, BridgeError: see `Calls`.
    """
    workspace = await client.workspaces.get_workspace_by_id(workspace_id)
    build = workspace.latest_build
    if build.transition == "start" and build.status in _STARTED:
        return _result_of(build)
    if workspace.dormant_at is not None:
        await client.workspaces.wake_workspace(workspace.id)
    request = CreateBuildRequest(transition="start", template_version_id=_version_to_start(workspace))
    return _result_of(await client.workspaces.create_build(workspace.id, request))


async def stop_workspace(client: GatewayClient, workspace_id: str) -> BuildResult:
    """Stop a workspace; one that is stopped or stops already stays as it is.

    Raises:
        GatewayUnreachable, GatewayRefused, BridgeError: see `Calls`.
    """
    build = (await client.workspaces.get_workspace_by_id(workspace_id)).latest_build
    if build.transition == "stop" and build.status in _STOPPED:
        return _result_of(build)
    return _result_of(await client.workspaces.create_build(workspace_id, CreateBuildRequest(transition="stop")))


def _version_to_start(workspace: Workspace) -> str:
    wants_active = workspace.template_require_active_version or workspace.automatic_updates == "always"
    return workspace.template_active_version_id if wants_active else workspace.latest_build.template_version_id


def _result_of(build: WorkspaceBuild) -> BuildResult:
    return BuildResult(build_id=build.id, build_number=build.build_number)
