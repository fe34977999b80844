"""Resources inside other answers."""

from __future__ import annotations

from datetime import datetime

from genba_gateway.api.agents import agent_message
from genba_gateway.domain.workspaces import Resource
from genba_wire.api import workspaces as messages


def resource_message(resource: Resource, now: datetime) -> messages.WorkspaceResource:
    """A resource with its agents as JSON."""
    return messages.WorkspaceResource(
        id=resource.id,
        created_at=resource.created_at,
        job_id=resource.job_id,
        workspace_transition=resource.transition,
        type=resource.type,
        name=resource.name,
        hide=resource.hide,
        icon=resource.icon,
        agents=[agent_message(agent, now) for agent in resource.agents],
        metadata=[
            messages.ResourceMetadata(key=item.key, value=item.value, sensitive=item.sensitive)
            for item in resource.metadata
        ],
        daily_cost=resource.daily_cost,
    )
