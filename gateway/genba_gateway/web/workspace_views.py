"""A workspace as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from genba_gateway.domain.agents import Agent, AgentStatus, App, AppHealth, agent_status
from genba_gateway.domain.jobs import ACTIVE
from genba_gateway.domain.workspaces import Workspace, WorkspaceStatus
from genba_gateway.web.states import Reason, State, agent_state, explain, workspace_state
from genba_gateway.web.workspace.app_links import is_safe_link


@dataclass(frozen=True, slots=True)
class AppView:
    """A link to an app of a workspace."""

    name: str
    address: str
    is_external: bool
    health: str


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent and what it offers."""

    name: str
    state: State
    is_connected: bool
    apps: tuple[AppView, ...]
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


def view_workspace(workspace: Workspace, now: datetime) -> WorkspaceView:
    """A workspace with its resources, in the language spoken here."""
    build = workspace.latest_build
    address = workspace_address(workspace.owner_name, workspace.name)
    is_running = build.status is WorkspaceStatus.RUNNING
    agents = [agent for resource in build.resources for agent in resource.agents] if is_running else []
    return WorkspaceView(
        id=workspace.id,
        name=workspace.name,
        owner=workspace.owner_name,
        address=address,
        template=workspace.template_display_name or workspace.template_name,
        template_name=workspace.template_name,
        state=workspace_state(build.status),
        reason=explain(build, now),
        agents=tuple(view_agent(agent, address, now) for agent in agents),
        last_built_at=build.created_at,
        is_running=is_running,
        is_outdated=build.template_version_id != workspace.template_active_version_id,
        is_busy=build.job.status in ACTIVE,
    )


def workspace_address(owner: str, name: str) -> str:
    """The page of a workspace (contract 5)."""
    return f"/@{quote(owner, safe='')}/{quote(name, safe='')}"


def view_agent(agent: Agent, address: str, now: datetime) -> AgentView:
    """An agent of the workspace whose page is at `address`."""
    base = f"{address}.{quote(agent.name, safe='')}"
    return AgentView(
        name=agent.name,
        state=agent_state(agent, now),
        is_connected=agent_status(agent, now)[0] is AgentStatus.CONNECTED,
        apps=tuple(_view_app(app, base) for app in agent.apps if not app.hidden and _is_link(app)),
        terminal=f"{base}/terminal" if "web_terminal" in agent.display_apps else "",
    )


def _view_app(app: App, base: str) -> AppView:
    slug = quote(app.slug, safe="")
    if app.external:
        address = app.url
    elif app.command:
        address = f"{base}/terminal?app={slug}"
    else:
        address = f"{base}/apps/{slug}/"
    health = "" if app.health == AppHealth.DISABLED else app.health
    return AppView(app.display_name or app.slug, address, app.external, health)


def _is_link(app: App) -> bool:
    """Whether an app can be linked: a template's external address may open a program, but run nothing here."""
    return not app.external or is_safe_link(app.url)
