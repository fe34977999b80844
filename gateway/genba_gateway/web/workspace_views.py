"""A workspace as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from genba_gateway.domain.agents import Agent, AgentStatus, agent_status
from genba_gateway.domain.jobs import ACTIVE
from genba_gateway.domain.workspaces import Workspace, WorkspaceStatus
from genba_gateway.web.states import Reason, State, agent_state, explain, workspace_state
from genba_gateway.web.workspace.app_links import AppLink, AppLinks, MakeSubdomainUrl


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent and what it offers."""

    name: str
    state: State
    is_connected: bool
    apps: tuple[AppLink, ...]
    terminal: str
    """Address of its terminal; empty where the template hides it."""


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """One workspace: what it is, how it is and why, and what can be done with it now."""

    id: str
    name: str
    owner: str
    address: str
    template: str
    template_name: str
    state: State
    reason: Reason
    agents: tuple[AgentView, ...]
    last_built_at: datetime
    is_running: bool
    is_outdated: bool
    is_busy: bool
    """A build is under way: it can be canceled, and nothing else begun."""

    @property
    def can_start(self) -> bool:
        """Whether a start is the thing to do."""
        return not self.is_busy and not self.is_running


def view_workspace(workspace: Workspace, now: datetime, make_subdomain_url: MakeSubdomainUrl) -> WorkspaceView:
    """A workspace with its resources, in the language spoken here."""
    build = workspace.latest_build
    links = AppLinks(workspace.owner_name, workspace.name, make_subdomain_url)
    is_running = build.status is WorkspaceStatus.RUNNING
    agents = [agent for resource in build.resources for agent in resource.agents] if is_running else []
    return WorkspaceView(
        id=workspace.id,
        name=workspace.name,
        owner=workspace.owner_name,
        address=workspace_address(workspace.owner_name, workspace.name),
        template=workspace.template_display_name or workspace.template_name,
        template_name=workspace.template_name,
        state=workspace_state(build.status),
        reason=explain(build, now),
        agents=tuple(_view_agent(agent, links, now) for agent in agents),
        last_built_at=build.created_at,
        is_running=is_running,
        is_outdated=build.template_version_id != workspace.template_active_version_id,
        is_busy=build.job.status in ACTIVE,
    )


def workspace_address(owner: str, name: str) -> str:
    """The page of a workspace (contract 5)."""
    return f"/@{quote(owner, safe='')}/{quote(name, safe='')}"


def _view_agent(agent: Agent, links: AppLinks, now: datetime) -> AgentView:
    return AgentView(
        name=agent.name,
        state=agent_state(agent, now),
        is_connected=agent_status(agent, now)[0] is AgentStatus.CONNECTED,
        apps=tuple(app for app in links.apps_of(agent) if app.url),
        terminal=links.terminal_of(agent) if "web_terminal" in agent.display_apps else "",
    )
