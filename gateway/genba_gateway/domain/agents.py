"""Agents of workspaces: values, and the states that users see with the reason of each (contract 1.6)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from genba_gateway.domain.hashing import hash_secret
from genba_gateway.domain.machine import BOOT_ID
from genba_gateway.domain.provisioning import AppHealthcheck
from genba_wire.tunnel.frames import DEAD_AFTER_S


class LifecycleState(StrEnum):
    """Where an agent is between its start and its end, as it reports itself."""

    CREATED = "created"
    STARTING = "starting"
    START_TIMEOUT = "start_timeout"
    START_ERROR = "start_error"
    READY = "ready"
    SHUTTING_DOWN = "shutting_down"
    SHUTDOWN_TIMEOUT = "shutdown_timeout"
    SHUTDOWN_ERROR = "shutdown_error"
    OFF = "off"


class AgentStatus(StrEnum):
    """Whether the gateway reaches an agent."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    TIMEOUT = "timeout"


class AppHealth(StrEnum):
    """Whether an app answers, as its agent finds out."""

    DISABLED = "disabled"
    INITIALIZING = "initializing"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class App:
    """One app of an agent; `healthcheck` is None when nothing checks it."""

    id: str
    slug: str
    display_name: str
    url: str
    command: str
    icon: str
    external: bool
    subdomain: bool
    sharing_level: str
    healthcheck: AppHealthcheck | None
    health: str
    hidden: bool
    open_in: str
    subdomain_name: str = ""
    """The first part of its host name, if it is to have one and belongs to a workspace."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script of an agent; timeout 0 means none."""

    id: str
    log_source_id: str
    display_name: str
    log_path: str
    script: str
    cron: str
    run_on_start: bool
    run_on_stop: bool
    start_blocks_login: bool
    timeout_s: int


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where lines of an agent's log come from."""

    agent_id: str
    id: str
    display_name: str
    icon: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent with what belongs to it.

    `workspace_id`, `owner_id` and `build_id` are empty for an agent of a template version, `is_current` says that
    it belongs to the latest build of a workspace that is not deleted.
    """

    id: str
    resource_id: str
    name: str
    position: int
    instance_id: str
    architecture: str
    operating_system: str
    directory: str
    expanded_directory: str
    version: str
    api_version: str
    boot_id: str
    connection_timeout_s: int
    troubleshooting_url: str
    motd_file: str
    startup_script_behavior: str
    display_apps: tuple[str, ...]
    subsystems: tuple[str, ...]
    host_boot_id: str
    lifecycle_state: str
    disconnect_reason: str
    logs_length: int
    logs_overflowed: bool
    first_connected_at: datetime | None
    last_connected_at: datetime | None
    disconnected_at: datetime | None
    started_at: datetime | None
    ready_at: datetime | None
    created_at: datetime
    updated_at: datetime
    workspace_id: str = ""
    owner_id: str = ""
    build_id: str = ""
    is_current: bool = False
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    apps: tuple[App, ...] = ()
    scripts: tuple[Script, ...] = ()
    log_sources: tuple[LogSource, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """Whether an agent is well; the reason is empty when it is."""

    healthy: bool
    reason: str = ""


DISCONNECT_AFTER: Final = timedelta(seconds=DEAD_AFTER_S)

MACHINE_RESTARTED: Final = (
    "The machine was restarted; the workspace's processes are gone. Start the workspace to get them back."
)
_SHUTTING_DOWN: Final = frozenset(
    {
        LifecycleState.SHUTTING_DOWN,
        LifecycleState.SHUTDOWN_TIMEOUT,
        LifecycleState.SHUTDOWN_ERROR,
        LifecycleState.OFF,
    }
)


def hash_report_key(token: str) -> bytes:
    """What is kept of an agent's report key: the SHA-256 of the hexadecimal text that the init script makes.

    The key is `sha256("genba-report:" + token)` in lower-case hexadecimal. It can be shown on a command line: the token
    can't be told from it, and it only opens `POST /api/v2/agent-reports`.
    """
    return hash_secret(hashlib.sha256(f"genba-report:{token}".encode()).hexdigest())


def agent_status(agent: Agent, now: datetime, *, boot_id: str = BOOT_ID) -> tuple[AgentStatus, str]:
    """Whether the gateway reaches the agent, and why it is so in words that a user understands.

    Nothing has to be written for a silent agent: an old heartbeat shows as disconnected when it is read.

    Args:
        boot_id: of the machine that the gateway runs on, and so of workspaces that run as its processes.
    """
    if agent.host_boot_id and boot_id and agent.host_boot_id != boot_id:
        return AgentStatus.DISCONNECTED, MACHINE_RESTARTED
    if agent.last_connected_at is None:
        return _status_before_connecting(agent, now)
    if agent.disconnected_at is not None and agent.disconnected_at >= agent.last_connected_at:
        why = agent.disconnect_reason or "Its connection ended."
        return AgentStatus.DISCONNECTED, f"{why} It was connected until {_clock(agent.disconnected_at)}."
    if now - agent.last_connected_at > DISCONNECT_AFTER:
        return (
            AgentStatus.DISCONNECTED,
            f"Nothing was heard from it since {_clock(agent.last_connected_at)}. "
            "It connects again by itself when it runs and reaches the gateway.",
        )
    return AgentStatus.CONNECTED, "It is connected."


def _status_before_connecting(agent: Agent, now: datetime) -> tuple[AgentStatus, str]:
    timeout_s = agent.connection_timeout_s
    if timeout_s > 0 and now - agent.created_at > timedelta(seconds=timeout_s):
        remedy = f" See {agent.troubleshooting_url}." if agent.troubleshooting_url else ""
        return (
            AgentStatus.TIMEOUT,
            f"It has not connected within {timeout_s} s. Look at the log of the machine or container that should "
            f"run it; it is still welcome when it comes.{remedy}",
        )
    limit = f" It is given up for late {timeout_s} s after {_clock(agent.created_at)}." if timeout_s > 0 else ""
    return AgentStatus.CONNECTING, f"It has not connected yet; its machine may still be starting.{limit}"


def agent_health(agent: Agent, status: AgentStatus) -> AgentHealth:
    """Whether an agent of a running workspace is well; the first rule that fits wins."""
    if status is not AgentStatus.CONNECTED and agent.lifecycle_state == LifecycleState.OFF:
        return AgentHealth(False, "The agent is not running.")
    if status is AgentStatus.TIMEOUT:
        return AgentHealth(False, "The agent takes too long to connect.")
    if status is AgentStatus.DISCONNECTED:
        return AgentHealth(False, "The agent has lost its connection.")
    if agent.lifecycle_state == LifecycleState.START_ERROR:
        return AgentHealth(False, "A start script of the agent failed.")
    if agent.lifecycle_state in _SHUTTING_DOWN:
        return AgentHealth(False, "The agent is shutting down.")
    return AgentHealth(True)


@dataclass(frozen=True, slots=True)
class LifecycleTimes:
    """When an agent last began to start, and when it was done with it."""

    started_at: datetime | None
    ready_at: datetime | None


def times_after(state: LifecycleState, times: LifecycleTimes, changed_at: datetime) -> LifecycleTimes:
    """The times after a report. The agent answers for the order of states; reports may be lost or repeated."""
    match state:
        case LifecycleState.STARTING:
            return LifecycleTimes(started_at=changed_at, ready_at=None)
        case LifecycleState.READY | LifecycleState.START_TIMEOUT | LifecycleState.START_ERROR:
            return LifecycleTimes(started_at=times.started_at or changed_at, ready_at=changed_at)
        case _:
            return times


def _clock(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC") if time else "an unknown time"
