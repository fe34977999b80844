"""Shows what a first build would make, before it is asked for (contract 2.2, `create`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genba_ide_bridge.cli.following import follow_dry_run
from genba_ide_bridge.cli.output import note
from genba_wire.api.dry_runs import CreateDryRunRequest
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.agents import WorkspaceAgent
    from genba_wire.api.workspaces import BuildParameter


async def show_dry_run(
    client: GatewayClient, version_id: str, workspace_name: str, values: Sequence[BuildParameter]
) -> None:
    """Have the gateway plan the build, and say on stderr what it would make. A gateway without dry runs shows nothing.

    Raises:
        BridgeError: the template can't be planned with these values; says why.
    """
    request = CreateDryRunRequest(workspace_name=workspace_name, rich_parameter_values=list(values))
    try:
        job = await client.templates.create_dry_run(version_id, request)
    except GatewayRefused as refusal:
        if refusal.status in (404, 405):
            return
        raise
    await follow_dry_run(client, version_id, job, title=f"Planning {workspace_name}")
    resources = await client.templates.list_dry_run_resources(version_id, job.id)
    shown = [resource for resource in resources if not resource.hide and resource.workspace_transition == "start"]
    if not shown:
        note("The template makes nothing.")
        return
    note("It would make:")
    for resource in shown:
        note(f"  {resource.type}.{resource.name}")
        for agent in resource.agents:
            note(f"    {_describe(agent)}")


def _describe(agent: WorkspaceAgent) -> str:
    apps = ", ".join(app.display_name or app.slug for app in agent.apps)
    return f"agent {agent.name} ({agent.operating_system}/{agent.architecture})" + (f", apps: {apps}" if apps else "")
