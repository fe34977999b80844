"""Ports of workspaces that are shared with others (contract 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.app_addresses import MAX_PORT, MIN_PORT, AppPort
from genba_gateway.domain.app_rules import SharingLevel
from genba_gateway.errors import FieldProblem

LEVELS: Final = (SharingLevel.AUTHENTICATED.value, SharingLevel.PUBLIC.value)
PROTOCOLS: Final = ("http", "https")

MAX_SHARES: Final = 1000
"""Of one workspace."""


@dataclass(frozen=True, slots=True)
class PortShare:
    """One port of an agent, by its name in lower case, and with whom it is shared."""

    workspace_id: str
    agent_name: str
    port: int
    share_level: str
    protocol: str


def list_problems(share: PortShare) -> list[FieldProblem]:
    """What is wrong with a share that somebody asks for; the agent's name is the database's to know."""
    problems: list[FieldProblem] = []
    if not AppPort(share.port, speaks_tls=False).is_allowed:
        problems.append(FieldProblem("port", f"must be {MIN_PORT} to {MAX_PORT}"))
    if share.share_level not in LEVELS:
        problems.append(FieldProblem("share_level", f"must be one of {', '.join(LEVELS)}"))
    if share.protocol not in PROTOCOLS:
        problems.append(FieldProblem("protocol", f"must be one of {', '.join(PROTOCOLS)}"))
    return problems
