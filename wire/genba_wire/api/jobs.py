"""Messages about provisioner jobs and their logs."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.message import Message


class JobInput(Message, frozen=True, kw_only=True):
    """What a job works on."""

    template_version_id: str = ""
    workspace_build_id: str = ""
    error: str = ""


class JobMetadata(Message, frozen=True, kw_only=True):
    """Names of what a job works on."""

    template_version_name: str
    template_id: str
    template_name: str
    template_display_name: str
    template_icon: str
    workspace_id: str = ""
    workspace_name: str = ""


class ProvisionerJob(Message, frozen=True, kw_only=True):
    """One job; `queue_position` counts from 1 while it waits, 0 when it runs."""

    id: str
    created_at: datetime
    status: str
    file_id: str
    tags: dict[str, str]
    queue_position: int
    queue_size: int
    organization_id: str
    input: JobInput
    type: str
    metadata: JobMetadata
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    error: str = ""
    error_code: str = ""
    worker_id: str = ""
    available_workers: list[str] = []


class JobLog(Message, frozen=True, kw_only=True):
    """One line of a job's log; ids grow within a job. An empty output marks the beginning of a stage."""

    id: int
    created_at: datetime
    log_source: str
    log_level: str
    stage: str
    output: str


class MatchedProvisioners(Message, frozen=True, kw_only=True):
    """How many provisioners could take a job."""

    count: int
    available: int
    most_recently_seen: datetime | None = None
