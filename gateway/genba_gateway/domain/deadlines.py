"""When running workspaces stop by themselves (contract 2.6, 3.6, 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import Build

MIN_TTL_MS: Final = 60_000
MAX_TTL_MS: Final = 30 * 24 * 3600 * 1000
"""Contract 2.6."""

MIN_EXTENSION: Final = timedelta(minutes=30)
"""A deadline that is set by hand is at least this far away (contract 2.6)."""

_BUMP_AFTER: Final = 0.05
"""So much of a bump has to pass before the next, so that not every report of an agent writes a deadline."""


_RETRY_AFTER: Final = tuple(timedelta(minutes=each) for each in (5, 10, 20, 40, 60))
"""Waits after the first, second, … stop in a row that failed; from then on the last."""


@dataclass(frozen=True, slots=True)
class FailedAutostop:
    """A workspace whose latest builds were stops at its deadline that failed: how many in a row, and when the last."""

    workspace_id: str
    failures: int
    failed_at: datetime

    @property
    def retry_at(self) -> datetime:
        """When it is tried again."""
        return self.failed_at + _RETRY_AFTER[min(self.failures, len(_RETRY_AFTER)) - 1]


@dataclass(frozen=True, slots=True)
class RunningDeadline:
    """Of the build that a workspace runs by: when it stops, the limit of that, and what activity adds."""

    build_id: str
    deadline: datetime
    max_deadline: datetime | None
    activity_bump_ms: int


def is_overdue(build: Build, now: datetime) -> bool:
    """Whether a workspace whose latest build this is runs past its deadline.

    A start that was canceled too late runs, too: its job ended without an error.
    """
    is_running = build.transition is Transition.START and build.job.completed_at is not None and not build.job.error
    return is_running and build.deadline is not None and build.deadline <= now


def explain_bad_ttl(ttl_ms: int) -> str | None:
    """What is wrong with a span after which something happens by itself (0: never), or None."""
    if ttl_ms == 0 or MIN_TTL_MS <= ttl_ms <= MAX_TTL_MS:
        return None
    return f"must be 0, or {MIN_TTL_MS} (one minute) to {MAX_TTL_MS} (30 days)"


def bump_deadline(running: RunningDeadline, now: datetime) -> datetime | None:
    """The deadline after somebody used the workspace, or None when it stays."""
    bump = timedelta(milliseconds=running.activity_bump_ms)
    if not bump or running.deadline - bump * (1 - _BUMP_AFTER) >= now:
        return None
    bumped = max(running.deadline, now + bump)
    if running.max_deadline is not None:
        bumped = min(bumped, running.max_deadline)
    return bumped if bumped > running.deadline else None


def explain_bad_extension(deadline: datetime, max_deadline: datetime | None, now: datetime) -> str | None:
    """Why a workspace can't be given this deadline, or None."""
    if deadline < now + MIN_EXTENSION:
        return "must be at least 30 minutes from now"
    if max_deadline is not None and deadline > max_deadline:
        return f"must be {max_deadline:%Y-%m-%d %H:%M} UTC at the latest, when the workspace has to stop"
    return None
