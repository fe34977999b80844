"""Starts a stopped workspace on the way to a session in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genba_ide_bridge.errors import BridgeError
from genba_wire.api.workspaces import CreateBuildRequest
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.cli.targets import WorkspaceTarget
    from genba_wire.api.workspaces import Workspace


def refuse_dormant(workspace: Workspace, target: WorkspaceTarget) -> None:
    """Refuse a workspace that was put to rest: waking it is somebody's decision.

    Raises:
        BridgeError: it is dormant.
    """
    if workspace.dormant_at is not None:
        since = f"{workspace.dormant_at:%Y-%m-%d}"
        raise BridgeError(
            f"The workspace {target.name} is dormant since {since}: it was not used for long.",
            f"`genba start {target.name}` wakes and starts it.",
        )


async def start_workspace(client: GatewayClient, workspace: Workspace, target: WorkspaceTarget) -> None:
    """Begin a build that starts the workspace with the values it had (contract 2.2, `ssh`).

    Raises:
        BridgeError: the gateway refuses; names the command that asks for what is missing.
    """
    version_id = workspace.latest_build.template_version_id
    if workspace.template_require_active_version or workspace.automatic_updates == "always":
        version_id = workspace.template_active_version_id
    try:
        try:
            await _build(client, workspace, version_id)
        except GatewayRefused as refusal:
            # Templates that insist on their active version refuse others.
            if refusal.status != 403 or version_id == workspace.template_active_version_id:
                raise
            await _build(client, workspace, workspace.template_active_version_id)
    except GatewayRefused as refusal:
        if refusal.status == 409:
            # Somebody else began a build at the same time: that one is followed.
            return
        if refusal.status in (400, 403):
            raise BridgeError(
                f"The workspace {target.name} is stopped, and could not be started: {refusal.message}",
                f"`genba start {target.name}` tells more, and asks for values that are missing.",
            ) from refusal
        raise


async def _build(client: GatewayClient, workspace: Workspace, version_id: str) -> None:
    request = CreateBuildRequest(transition="start", template_version_id=version_id, reason="ssh_connection")
    await client.workspaces.create_build(workspace.id, request)
