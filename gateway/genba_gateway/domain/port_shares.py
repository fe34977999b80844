"""Ports of workspaces that are shared with others (contract 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.app_addresses import MAX_PORT, MIN_PORT, AppPort
from genba_gateway.domain.app_rules import SharingLevel, read_level
from genba_gateway.errors import FieldProblem

LEVELS: Final = (SharingLevel.AUTHENTICATED.value, SharingLevel.PUBLIC.value)
MAXIMA: Final = tuple(level.value for level in SharingLevel)
"""What a template may say is the most that ports of its workspaces are shared, from least to most."""
DEFAULT_MAXIMUM: Final = SharingLevel.PUBLIC.value
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


def list_levels_above(maximum: str) -> tuple[str, ...]:
    """The levels of shares that a template's maximum forbids."""
    return MAXIMA[MAXIMA.index(read_level(maximum).value) + 1 :]


def limit_level(level: str, maximum: str) -> SharingLevel:
    """With whom a port is shared at most, whatever its share says."""
    return read_level(maximum if level in list_levels_above(maximum) else level)


def explain_maximum(maximum: str, template: str) -> str:
    """Why a level is above what a template allows, and who may change that."""
    remedy = "whoever may change the template can raise it in its settings (max_port_share_level)"
    if read_level(maximum) is SharingLevel.OWNER:
        return f"is above the maximum of the template {template!r}, which shares no port: {remedy}"
    return (
        f"is above the maximum of the template {template!r}, whose ports are shared with people who are signed in at "
        f"most (authenticated): {remedy}"
    )
