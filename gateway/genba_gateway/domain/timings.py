"""How long the parts of a build took: Terraform's commands, resources, agents and their scripts (contract 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TimingStage(StrEnum):
    """What a timing is part of (contract appendix C)."""

    INIT = "init"
    PLAN = "plan"
    GRAPH = "graph"
    APPLY = "apply"
    START = "start"
    STOP = "stop"
    CRON = "cron"
    CONNECT = "connect"


SCRIPT_STAGES = frozenset({TimingStage.START, TimingStage.STOP, TimingStage.CRON})


class ScriptStatus(StrEnum):
    """How a script of an agent ended, by its name on the wire."""

    OK = "ok"
    EXIT_FAILURE = "exit_failure"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class ProvisionerTiming:
    """One command of Terraform, or what it did to one resource.

    `source` is the provider; `resource` the resource's address. Both are `terraform` for a command as a whole.
    """

    started_at: datetime
    ended_at: datetime
    stage: TimingStage
    source: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class ScriptTiming:
    """One run of a script, the latest of its stage."""

    started_at: datetime
    ended_at: datetime
    exit_code: int
    stage: TimingStage
    status: ScriptStatus
    display_name: str
    agent_id: str
    agent_name: str


@dataclass(frozen=True, slots=True)
class ConnectionTiming:
    """How long an agent took to connect, counted from when the gateway knew that it exists."""

    started_at: datetime
    ended_at: datetime
    agent_id: str
    agent_name: str


@dataclass(frozen=True, slots=True)
class BuildTimings:
    """All that was measured of a build."""

    job_id: str
    provisioner: tuple[ProvisionerTiming, ...]
    scripts: tuple[ScriptTiming, ...]
    connections: tuple[ConnectionTiming, ...]
