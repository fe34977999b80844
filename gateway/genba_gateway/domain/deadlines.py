"""When running workspaces stop by themselves (contract 2.6, 3.6, 4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from genba_gateway.domain.workspaces import Build, WorkspaceStatus

MIN_TTL_MS: Final = 60_000
MAX_TTL_MS: Final = 30 * 24 * 3600 * 1000
"""Contract 2.6."""

MIN_EXTENSION: Final = timedelta(minutes=30)
"""A deadline that is set by hand is at least this far away (contract 2.6)."""

_BUMP_AFTER: Final = 0.05
"""So much of a bump has to pass before the next, so that not every report of an agent writes a deadline."""


@dataclass(frozen=True, slots=True)
class RunningDeadline:
    """Of the build that a workspace runs by: when it stops, the limit of that, and what activity adds."""

    build_id: str
    deadline: datetime
    max_deadline: datetime | None
    activity_bump_ms: int


def is_overdue(build: Build, now: datetime) -> bool:
    """Whether a workspace whose latest build this is runs past its deadline."""
    return build.status is WorkspaceStatus.RUNNING and build.deadline is not None and build.deadline <= now


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
