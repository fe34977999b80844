"""Messages about shared ports of workspaces (contract 3.5)."""

from __future__ import annotations

from genba_wire.api.message import Message


class WorkspaceAgentPortShare(Message, frozen=True, kw_only=True):
    """One shared port."""

    workspace_id: str
    agent_name: str
    port: int
    share_level: str
    protocol: str


class WorkspaceAgentPortShares(Message, frozen=True, kw_only=True):
    """All of a workspace's."""

    shares: list[WorkspaceAgentPortShare]


class UpsertWorkspaceAgentPortShareRequest(Message, frozen=True, kw_only=True):
    """Share a port; clients of 2024 name no protocol."""

    agent_name: str
    port: int
    share_level: str
    protocol: str = "http"


class DeleteWorkspaceAgentPortShareRequest(Message, frozen=True, kw_only=True):
    """Share a port no longer."""

    agent_name: str
    port: int
