"""What the page of one workspace shows, from the values of the use cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.agent_reports import MetadataItem
from genba_gateway.domain.agents import Agent, AgentStatus, AppHealth, LifecycleState, agent_status
from genba_gateway.domain.jobs import ACTIVE, JobStatus
from genba_gateway.domain.workspaces import Workspace, WorkspaceStatus, is_stop_of_restart
from genba_gateway.services.workspace_sights import WorkspaceSight
from genba_gateway.web.workspace.app_links import AppLink, AppLinks, MakeSubdomainUrl
from genba_gateway.web.workspace.schedule import describe_schedule
from genba_gateway.web.workspace.steps import BuildSteps
from genba_gateway.web.workspace.words import explain_agent, explain_deadline, explain_state
from genba_gateway.web.workspace_views import workspace_address

ACTIONS: Final = ("start", "stop", "restart", "update", "cancel")
"""What can be done by a button, in the order of the buttons."""


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent."""

    agent: Agent
    status: AgentStatus
    reason: Markup
    terminal: str
    """The address of its terminal; empty while it can't be reached."""
    apps: tuple[AppLink, ...]
    metadata: Sequence[MetadataItem]
    sources: Mapping[str, str]
    """Names of what its log's lines come from, by id."""
    is_connected: bool

    @property
    def awaits_something(self) -> bool:
        """Whether its log is what one looks for: its scripts are not done, or an app has not answered (any more)."""
        return self.agent.lifecycle_state != LifecycleState.READY or any(
            app.health in (AppHealth.INITIALIZING, AppHealth.UNHEALTHY) for app in self.apps
        )


@dataclass(frozen=True, slots=True)
class WorkspaceView:
    """One workspace at one moment, for one visitor."""

    workspace: Workspace
    path: str
    """Where its pages begin."""
    reason: Markup
    error: str
    """Of its latest build, if that failed."""
    deadline: Markup | None
    schedule: str
    """When it starts by itself; empty for never."""
    actions: tuple[str, ...]
    may_change: bool
    may_delete: bool
    is_outdated: bool
    agents: tuple[AgentView, ...]
    steps: BuildSteps
    shows_build: bool
    """Whether the latest build is worth its place: it is under way, or did not succeed."""
    is_building: bool
    is_restarting: bool
    """It stops to be started again."""

    @property
    def log_key(self) -> str:
        """Changes when there are other logs to be followed."""
        sources = (" ".join((each.agent.id, *each.sources)) for each in self.agents)
        return " ".join((self.workspace.latest_build.id, *sources))


def path_of(workspace: Workspace) -> str:
    """Where the pages of a workspace begin."""
    return workspace_address(workspace.owner_name, workspace.name)


def view_workspace(
    actor: UserActor, sight: WorkspaceSight, steps: BuildSteps, now: datetime, make_subdomain_url: MakeSubdomainUrl
) -> WorkspaceView:
    """What the page shows at `now` to who looks at it."""
    workspace = sight.workspace
    build, job = workspace.latest_build, workspace.latest_build.job
    may_change = may(actor, workspace, Action.UPDATE)
    links = AppLinks(workspace.owner_name, workspace.name, make_subdomain_url)
    return WorkspaceView(
        workspace=workspace,
        path=path_of(workspace),
        reason=explain_state(build),
        error=job.error if job.status is JobStatus.FAILED else "",
        deadline=explain_deadline(build),
        schedule=describe_schedule(workspace.autostart_schedule or ""),
        actions=list_actions(workspace) if may_change else (),
        may_change=may_change,
        may_delete=may(actor, workspace, Action.DELETE) and not workspace.deleted and job.status not in ACTIVE,
        is_outdated=is_outdated(workspace),
        agents=tuple(
            _view_agent(agent, links, sight.metadata.get(agent.id, ()), now)
            for resource in build.resources
            for agent in resource.agents
        ),
        steps=steps,
        shows_build=job.status is not JobStatus.SUCCEEDED,
        is_building=job.status in ACTIVE,
        is_restarting=is_stop_of_restart(build) and job.status in {JobStatus.PENDING, JobStatus.RUNNING},
    )


def may(actor: UserActor, workspace: Workspace, action: Action) -> bool:
    """Whether somebody may do something to a workspace."""
    return actor.may(Permission(Resource.WORKSPACE, action), workspace.owner_id)


def is_outdated(workspace: Workspace) -> bool:
    """Whether its template has another active version than the one it was built from."""
    return workspace.latest_build.template_version_id != workspace.template_active_version_id


def list_actions(workspace: Workspace) -> tuple[str, ...]:
    """What can be done to a workspace now, by who may change it."""
    if workspace.deleted:
        return ()
    status = workspace.latest_build.status
    can: set[str] = set()
    match status:
        case WorkspaceStatus.PENDING | WorkspaceStatus.STARTING | WorkspaceStatus.STOPPING | WorkspaceStatus.DELETING:
            can = {"cancel"}
        case WorkspaceStatus.CANCELING | WorkspaceStatus.DELETED:
            pass
        case WorkspaceStatus.RUNNING:
            can = {"stop", "restart"}
        case WorkspaceStatus.STOPPED:
            can = {"start"}
        case WorkspaceStatus.FAILED | WorkspaceStatus.CANCELED:
            can = {"start", "stop"}
    if can - {"cancel"} and is_outdated(workspace):
        can.add("update")
    return tuple(each for each in ACTIONS if each in can)


def _view_agent(agent: Agent, links: AppLinks, metadata: Sequence[MetadataItem], now: datetime) -> AgentView:
    status, _ = agent_status(agent, now)
    is_connected = status is AgentStatus.CONNECTED
    has_terminal = is_connected and "web_terminal" in agent.display_apps
    return AgentView(
        agent=agent,
        status=status,
        reason=explain_agent(agent, now),
        terminal=links.terminal_of(agent) if has_terminal else "",
        apps=links.apps_of(agent),
        metadata=metadata,
        sources={source.id: source.display_name for source in agent.log_sources},
        is_connected=is_connected,
    )
