"""Which failures of a dial pass, and which end a session: what is true of the workspace is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genba_wire.errors import GatewayRefused, TransportError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.workspaces import Workspace

_PASSING_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of proxies and gateways that will be better later."""

_NOT_FOUND: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class AgentAddress:
    """An agent of one build of a workspace: a session never goes on in another build.

    `again` is the command that opens another session of the kind.
    """

    workspace_id: str
    build_id: str
    agent_id: str
    again: str = "terminal"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a session is over for good, and what the user can do."""

    reason: str
    hint: str = ""


async def judge_refusal(client: GatewayClient, address: AgentAddress, refusal: GatewayRefused) -> Verdict | None:
    """Tell why a session is over after the gateway refused a dial; None when another attempt may succeed."""
    if refusal.status in _PASSING_STATUSES:
        return None
    if refusal.status == 401:
        return _signed_out(client, refusal)
    try:
        workspace = await client.workspaces.get_workspace_by_id(address.workspace_id)
    except GatewayRefused as other:
        if other.status == 401:
            return _signed_out(client, other)
        if other.status in _NOT_FOUND:
            return Verdict("The workspace is gone, or not yours to use any more.", "`genba list` shows those you have.")
        return None
    except TransportError:
        return None
    return _judge_workspace(workspace, address, refusal)


def _judge_workspace(workspace: Workspace, address: AgentAddress, refusal: GatewayRefused) -> Verdict | None:
    build, name = workspace.latest_build, workspace.name
    if build.transition == "delete":
        return Verdict(f"The workspace {name} was deleted.")
    if build.transition == "stop":
        return Verdict(f"The workspace {name} was stopped.", f"`genba start {name}` starts it.")
    if build.id != address.build_id:
        return Verdict(f"The workspace {name} was restarted.", f"`genba {address.again} {name}` opens a new session.")
    agents = [agent for resource in build.resources for agent in resource.agents if agent.id == address.agent_id]
    if not agents:
        return Verdict(f"The workspace {name} does not have this agent any more.")
    agent = agents[0]
    if agent.status != "connected" and agent.lifecycle_state == "off":
        return Verdict(
            f"The agent {agent.name} of {name} has ended.",
            f"`genba restart {name}` starts it again; `genba logs {name}` shows what it said.",
        )
    if refusal.status == 409:
        return None
    return Verdict(refusal.message, refusal.detail)


def _signed_out(client: GatewayClient, refusal: GatewayRefused) -> Verdict:
    url = client.base_url
    return Verdict(f"You are not signed in to {url} any more: {refusal.message}", f"Run `genba login {url}`.")
