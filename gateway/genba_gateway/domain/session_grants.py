"""What lets somebody have a session with an agent, and when it ends: a pure rule over what the database says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.users import KeyScope, UserStatus

USE_AGENT: Final = Permission(Resource.WORKSPACE, Action.SSH)
"""What sessions with a workspace's agents need."""


class Purpose(StrEnum):
    """What a session is for: agents know which streams that allows."""

    TERMINAL = "terminal"
    TUNNEL = "tunnel"
    SSH = "ssh"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """Who has a session with which agent, by which API key. Tickets are bound to all of it."""

    user_id: str
    key_id: str
    workspace_id: str
    agent_id: str
    build_id: str


@dataclass(frozen=True, slots=True)
class GrantStanding:
    """What the database says about a grant; None where there is no such row."""

    key_user_id: str | None
    key_scope: str | None
    key_expires_at: datetime | None
    user_status: str | None
    username: str | None
    roles: tuple[str, ...]
    workspace_id: str
    owner_id: str
    build_id: str
    boot_id: str
    is_current: bool
    newest_transition: str


def explain_lost_build(newest_transition: str) -> str:
    """Why an agent is not of its workspace's current build."""
    match newest_transition:
        case Transition.STOP:
            return "The workspace was stopped."
        case Transition.DELETE:
            return "The workspace was deleted."
        case _:
            return "A new build of the workspace took the agent's place."


def explain_end(
    grant: SessionGrant, standing: GrantStanding | None, now: datetime, *, is_new: bool, boot_id: str = ""
) -> str:
    """Why a session may not be, or go on; empty while it may.

    An expired key blocks new sessions only: those that are open go on until the key is taken back.

    Args:
        standing: None when the agent is gone.
        is_new: the session is to be opened, or resumed.
        boot_id: of the agent's process that serves the session; empty when it is not served yet.
    """
    if standing is None or standing.workspace_id != grant.workspace_id:
        return "The agent is gone."
    if standing.key_user_id != grant.user_id or standing.key_scope != KeyScope.ALL or standing.key_expires_at is None:
        return "You signed out."
    if is_new and standing.key_expires_at <= now:
        return "Your session has expired. Sign in again."
    if standing.user_status is None or standing.username is None:
        return "Your user is gone."
    if standing.user_status == UserStatus.SUSPENDED:
        return "Your user is suspended."
    actor = UserActor(grant.user_id, standing.username, standing.roles, grant.key_id)
    if not actor.may(USE_AGENT, standing.owner_id):
        return "You may not use this workspace any more."
    if not standing.is_current or standing.build_id != grant.build_id:
        return explain_lost_build(standing.newest_transition)
    if boot_id and standing.boot_id != boot_id:
        return "The agent was started anew."
    return ""
