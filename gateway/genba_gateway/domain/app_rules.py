"""Who may use which app, and why one that is there does not answer: pure rules over what the database says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.agents import Agent, AgentStatus, App, AppHealth, LifecycleState, agent_status
from genba_gateway.domain.app_access import AppAddress, AppOrigin, AppRefusal, AppTarget
from genba_gateway.domain.app_addresses import parse_port
from genba_gateway.domain.app_entry import nowhere
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.session_grants import GrantStanding, explain_lost_build
from genba_gateway.domain.users import UserStatus
from genba_gateway.domain.workspaces import Workspace, WorkspaceStatus, explain_build

USE_APP: Final = Permission(Resource.WORKSPACE, Action.APPLICATION_CONNECT)
"""What apps that are shared with nobody need."""

RETRY_STARTING_S: Final = 2
RETRY_AWAY_S: Final = 5


class SharingLevel(StrEnum):
    """With whom an app or a port is shared (contract appendix C)."""

    OWNER = "owner"
    AUTHENTICATED = "authenticated"
    PUBLIC = "public"


def read_level(text: str) -> SharingLevel:
    """A sharing level; one that is not known shares with nobody."""
    return SharingLevel(text) if text in set(SharingLevel) else SharingLevel.OWNER


@dataclass(frozen=True, slots=True)
class AppPlace:
    """What the names of an address lead to: a workspace, and if they can be told, its agent and the app."""

    workspace: Workspace
    agent: Agent | None
    app_url: str
    """Empty when there is no such app."""
    sharing_level: SharingLevel
    has_own_host: bool = False
    """Whether its template wants it under a name of its own."""


def find_named_agent(agents: list[Agent], name: str) -> Agent | None:
    """The agent of a name, or the only one when an address names none."""
    if not name:
        return agents[0] if len(agents) == 1 else None
    return next((agent for agent in agents if agent.name.lower() == name.lower()), None)


def find_app(agent: Agent | None, slug: str) -> App | None:
    """The app of a slug, if it is one that is served by the gateway: not a command, not a link elsewhere."""
    for app in agent.apps if agent else ():
        if app.slug.lower() == slug.lower():
            return app if app.url and not app.external and not app.command else None
    return None


def may_use(actor: UserActor | None, origin: AppOrigin, level: SharingLevel, owner_id: str) -> bool:
    """Whether somebody (None: who is not signed in) may use an app.

    Path apps serve their owner alone, not even who administrates the gateway: they share an origin, where one person's
    app could do everything in another's name.
    """
    if origin is AppOrigin.PATH:
        return actor is not None and actor.user_id == owner_id
    if level is SharingLevel.PUBLIC:
        return True
    return actor is not None and (level is SharingLevel.AUTHENTICATED or actor.may(USE_APP, owner_id))


def explain_not_running(place: AppPlace, now: datetime, page: str) -> AppRefusal | None:
    """Why the app of a workspace can't be reached now; None when its agent is connected.

    Args:
        page: where the workspace can be watched and started; empty for somebody who may not see it.
    """
    workspace, agent = place.workspace, place.agent
    build, name = workspace.latest_build, workspace.name
    if build.transition is not Transition.START and build.status in _GOING_DOWN:
        title = f"{name} is stopping" if build.transition is Transition.STOP else f"{name} is being deleted"
        return AppRefusal(400, title, "Its apps end with it.", progress_url=page)
    if build.status is WorkspaceStatus.STOPPED:
        remedy = "Start it on its page, then open the app again." if page else "Its owner can start it."
        return AppRefusal(400, f"{name} is stopped", remedy, progress_url=page)
    if agent is not None and agent.is_current:
        return _explain_agent(workspace, agent, now, page)
    if build.transition is Transition.START and build.status in _COMING_UP:
        return _starting(name, explain_build(build), page)
    if build.status is WorkspaceStatus.RUNNING:
        return nowhere()
    return AppRefusal(400, f"{name} does not run", explain_build(build), progress_url=page)


_COMING_UP: Final = frozenset({WorkspaceStatus.PENDING, WorkspaceStatus.STARTING})
_GOING_DOWN: Final = frozenset(
    {
        WorkspaceStatus.PENDING,
        WorkspaceStatus.STOPPING,
        WorkspaceStatus.DELETING,
        WorkspaceStatus.DELETED,
        WorkspaceStatus.CANCELING,
    }
)


def _starting(name: str, message: str, page: str, status: int = 503) -> AppRefusal:
    return AppRefusal(status, f"{name} is starting", message, RETRY_STARTING_S, progress_url=page)


def _explain_agent(workspace: Workspace, agent: Agent, now: datetime, page: str) -> AppRefusal | None:
    status, reason = agent_status(agent, now)
    match status:
        case AgentStatus.CONNECTED:
            return None
        case AgentStatus.CONNECTING:
            return _starting(workspace.name, f"Its agent {agent.name!r} is awaited. {reason}", page, 502)
        case AgentStatus.DISCONNECTED | AgentStatus.TIMEOUT:
            title = f"The agent of {workspace.name} is away"
            return AppRefusal(502, title, f"{agent.name}: {reason}", RETRY_AWAY_S, progress_url=page)


def explain_silence(place: AppPlace, address: AppAddress, page: str) -> AppRefusal:
    """Why nothing in the workspace takes the app's connection."""
    is_port = parse_port(address.app) is not None
    what = f"port {address.app.rstrip('s')}" if is_port else f"the app {address.app!r}"
    if place.agent is not None and place.agent.lifecycle_state in (LifecycleState.CREATED, LifecycleState.STARTING):
        message = f"Its start scripts are still running, and nothing listens for {what} yet."
        return _starting(place.workspace.name, message, page, 502)
    app = None if is_port else find_app(place.agent, address.app)
    if app is not None and app.health == AppHealth.INITIALIZING:
        title = f"{app.display_name or app.slug} is not ready yet"
        message = f"It has not answered since {place.workspace.name} started. The agent's log may say how far it is."
    else:
        remedy = "Start the program that should." if is_port else "Look at the log of the script that starts it."
        title = f"Nothing answers in {place.workspace.name}"
        message = f"No program listens for {what}. {remedy}"
    return AppRefusal(502, title, message, RETRY_AWAY_S, progress_url=page)


def explain_app_end(target: AppTarget, standing: GrantStanding | None, level: SharingLevel) -> str:
    """Why what is open at an app must end; empty while it may go on.

    An expired key blocks new sessions only: those that are open go on until the key is taken back.

    Args:
        standing: None when the agent is gone.
        level: with whom the app is shared at this time.
    """
    if standing is None or standing.workspace_id != target.workspace_id:
        return "The workspace is gone."
    actor = None
    if target.user_id:
        if standing.key_user_id != target.user_id:
            return "You signed out."
        if standing.user_status is None or standing.username is None:
            return "Your user is gone."
        if standing.user_status == UserStatus.SUSPENDED:
            return "Your user is suspended."
        actor = UserActor(target.user_id, standing.username, standing.roles, target.key_id)
    if not may_use(actor, target.address.origin, level, standing.owner_id):
        return "You may not use this app any more."
    if not standing.is_current or standing.build_id != target.build_id:
        return explain_lost_build(standing.newest_transition)
    return ""
