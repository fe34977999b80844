"""When scheduled scripts run. croniter is imported with the first schedule, as most workspaces have none."""

from __future__ import annotations

from datetime import datetime


def is_valid_schedule(schedule: str) -> bool:
    """Whether the text is a schedule of six fields (seconds first, contract 1.9), or of the usual five."""
    from croniter import croniter

    return len(schedule.split()) in (5, 6) and croniter.is_valid(schedule, second_at_beginning=True)


def next_run(schedule: str, after: datetime) -> datetime:
    """Return the first time of a valid schedule later than `after`, in `after`'s time zone."""
    from croniter import croniter

    times = croniter(schedule, after, second_at_beginning=True)
    return times.get_next(datetime)
