"""What the list of workspaces shows, and what the pages need to get it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from genba_gateway.domain.actors import UserActor


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent of a workspace."""

    name: str
    status: str
    """connecting, connected, disconnected or timeout."""


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """One workspace of the list."""

    name: str
    owner_name: str
    template_name: str
    status: str
    """A `domain.workspaces.WorkspaceStatus`."""

    reason: str
    """Why it is in that state and what the user can do, in words."""

    last_built_at: datetime
    agents: tuple[AgentRow, ...] = ()


class WorkspaceRows(Protocol):
    """Where the list comes from."""

    async def list_rows(self, actor: UserActor) -> Sequence[WorkspaceRow]:
        """The actor's own workspaces, in the order to show them."""
        ...
