"""Workspaces, builds and resources: values, and the states that users see with the reason of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from genba_gateway.domain.jobs import Job, JobStatus
from genba_gateway.domain.provisioning import ResourceMetadataItem, Transition

if TYPE_CHECKING:
    from genba_gateway.domain.agents import Agent


AUTOSTOP: Final = "autostop"
"""The reason of a stop that the gateway begins at a deadline (contract appendix C)."""

RESTART: Final = "restart"
"""The reason of a stop that a start shall follow, and of that start."""


class WorkspaceStatus(StrEnum):
    """What a workspace is doing (contract appendix C)."""

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELING = "canceling"
    CANCELED = "canceled"
    DELETING = "deleting"
    DELETED = "deleted"


_WHILE_RUNNING: Final = {
    Transition.START: WorkspaceStatus.STARTING,
    Transition.STOP: WorkspaceStatus.STOPPING,
    Transition.DELETE: WorkspaceStatus.DELETING,
}
_AFTER_SUCCESS: Final = {
    Transition.START: WorkspaceStatus.RUNNING,
    Transition.STOP: WorkspaceStatus.STOPPED,
    Transition.DELETE: WorkspaceStatus.DELETED,
}
_DOING: Final = {Transition.START: "start", Transition.STOP: "stop", Transition.DELETE: "deletion"}


def workspace_status(transition: Transition, job_status: JobStatus) -> WorkspaceStatus:
    """The status that follows from the latest build (contract 4.3)."""
    match job_status:
        case JobStatus.RUNNING:
            return _WHILE_RUNNING[transition]
        case JobStatus.SUCCEEDED:
            return _AFTER_SUCCESS[transition]
        case JobStatus.PENDING | JobStatus.CANCELING | JobStatus.CANCELED | JobStatus.FAILED:
            return WorkspaceStatus(job_status.value)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a job, with its agents."""

    id: str
    job_id: str
    transition: str
    type: str
    name: str
    hide: bool
    icon: str
    daily_cost: int
    metadata: tuple[ResourceMetadataItem, ...]
    created_at: datetime
    agents: tuple[Agent, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """One build with the names that its JSON needs; `resources` only where they were asked for."""

    id: str
    workspace_id: str
    workspace_name: str
    owner_id: str
    owner_name: str
    owner_avatar_url: str
    template_id: str
    template_name: str
    template_display_name: str
    template_icon: str
    template_version_id: str
    template_version_name: str
    build_number: int
    transition: Transition
    initiator_id: str
    initiator_name: str
    reason: str
    deadline: datetime | None
    max_deadline: datetime | None
    orphan: bool
    debug: bool
    template_version_preset_id: str | None
    created_at: datetime
    updated_at: datetime
    job: Job
    resources: tuple[Resource, ...] = field(default=(), repr=False)

    @property
    def status(self) -> WorkspaceStatus:
        """What the workspace is doing while this is its latest build."""
        return workspace_status(self.transition, self.job.status)


def is_stop_of_restart(build: Build) -> bool:
    """Whether a start shall follow when this build is done."""
    return build.reason == RESTART and build.transition is Transition.STOP


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace with its latest build."""

    id: str
    owner_id: str
    owner_name: str
    owner_avatar_url: str
    organization_id: str
    organization_name: str
    template_id: str
    template_name: str
    template_display_name: str
    template_icon: str
    template_allow_user_cancel_workspace_jobs: bool
    template_active_version_id: str
    template_require_active_version: bool
    name: str
    autostart_schedule: str | None
    next_start_at: datetime | None
    ttl_ms: int | None
    automatic_updates: str
    last_used_at: datetime
    dormant_at: datetime | None
    deleting_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted: bool
    favorite: bool
    latest_build: Build


def explain_build(build: Build) -> str:
    """Why the workspace is in the state that this build gives it, and what the user can do now."""
    doing = _DOING[build.transition]
    job = build.job
    match job.status:
        case JobStatus.PENDING if job.queue_position > 1:
            return f"Its {doing} waits in the queue, {job.queue_position} of {job.queue_size}. You can cancel it."
        case JobStatus.PENDING:
            return f"Its {doing} is next in the queue. You can cancel it."
        case JobStatus.RUNNING:
            return f"Its {doing} is running since {_clock(job.started_at)}. Follow its log, or cancel it."
        case JobStatus.CANCELING:
            return f"Its {doing} was canceled at {_clock(job.canceled_at)} and Terraform is ending its current step."
        case JobStatus.CANCELED:
            return f"Its {doing} was canceled. What was made is kept: start, stop or delete it."
        case JobStatus.FAILED if build.reason == AUTOSTOP:
            return f"Its stop at the deadline failed: {job.error} It is tried again within an hour; read its log."
        case JobStatus.FAILED:
            return f"Its {doing} failed: {job.error} Read the build's log, then start, stop or delete it."
        case JobStatus.SUCCEEDED:
            return f"Its {doing} succeeded at {_clock(job.completed_at)}."


def _clock(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC") if time else "an unknown time"
