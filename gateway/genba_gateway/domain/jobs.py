"""Provisioner jobs: what they are, and the status that follows from their times."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class JobType(StrEnum):
    """What a job does (contract appendix C)."""

    IMPORT = "template_version_import"
    BUILD = "workspace_build"
    DRY_RUN = "template_version_dry_run"


class JobStatus(StrEnum):
    """Where a job is (contract appendix C)."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    CANCELING = "canceling"
    CANCELED = "canceled"
    FAILED = "failed"


ACTIVE: Final = frozenset({JobStatus.PENDING, JobStatus.RUNNING, JobStatus.CANCELING})
"""A job in one of these will still change by itself."""

MAX_LOG_LINE_BYTES: Final = 64 * 1024
"""A longer line of a job's log is cut; providers print whole documents at times."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `queue_position` counts from 1 while it waits, 0 once it runs."""

    id: str
    organization_id: str
    initiator_id: str
    type: JobType
    file_id: str
    tags: Mapping[str, str]
    input: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    canceled_at: datetime | None
    error: str
    error_code: str
    worker_id: str
    queue_position: int = 0
    queue_size: int = 0

    @classmethod
    def queued(
        cls,
        job_type: JobType,
        *,
        organization_id: str,
        initiator_id: str,
        file_id: str,
        input: Mapping[str, str],
        now: datetime,
        tags: Mapping[str, str] | None = None,
    ) -> Job:
        """A new job that waits for its turn. Of its tags, scope and owner are set here."""
        return cls(
            id=str(uuid.uuid4()),
            organization_id=organization_id,
            initiator_id=initiator_id,
            type=job_type,
            file_id=file_id,
            tags={**(tags or {}), "scope": "organization", "owner": ""},
            input=input,
            created_at=now,
            updated_at=now,
            started_at=None,
            completed_at=None,
            canceled_at=None,
            error="",
            error_code="",
            worker_id="",
        )

    @property
    def status(self) -> JobStatus:
        """The status that follows from the times and the error."""
        return job_status(
            started=self.started_at is not None,
            completed=self.completed_at is not None,
            canceled=self.canceled_at is not None,
            failed=bool(self.error),
        )


def job_status(*, started: bool, completed: bool, canceled: bool, failed: bool) -> JobStatus:
    """Derive the status (contract 4.3).

    A job that was asked to end but succeeded or failed by itself is still canceled, because that was the wish.
    """
    if completed:
        if canceled:
            return JobStatus.CANCELED
        return JobStatus.FAILED if failed else JobStatus.SUCCEEDED
    if canceled:
        return JobStatus.CANCELING
    return JobStatus.RUNNING if started else JobStatus.PENDING


@dataclass(frozen=True, slots=True)
class StoredJobLog:
    """One stored line of a job's log."""

    id: int
    created_at: datetime
    source: str
    level: str
    stage: str
    output: str
