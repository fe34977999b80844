"""When stopped workspaces start by themselves (contract 4.3).

A schedule is five fields of cron, of which day and month are `*`, with a zone in front:
`CRON_TZ=Europe/Vienna 30 9 * * 1-5`. Without a zone it is in UTC. A workspace's text is kept as its owner wrote it.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import Build
from genba_wire.schedule import Schedule, ScheduleError, has_five_fields, parse_schedule

AUTOSTART: Final = "autostart"
"""The reason of a start that the gateway begins on a schedule (contract appendix C)."""

MAX_SCHEDULE_CHARS: Final = 256
_HOUR, _DAY, _MONTH = 2, 3, 4
_HOURS: Final = 24


def explain_bad_autostart(text: str) -> str | None:
    """What is wrong with a schedule, or None. Touches the disk, as `next_autostart` does: call both in a thread."""
    if len(text) > MAX_SCHEDULE_CHARS:
        return f"must have at most {MAX_SCHEDULE_CHARS} characters"
    if not has_five_fields(text):
        return (
            "must have five fields, minute, hour, *, * and days of the week, as in CRON_TZ=Europe/Vienna 30 9 * * 1-5"
        )
    try:
        schedule = parse_schedule(text)
    except ScheduleError as error:
        return f"is no schedule: {error}"
    if schedule.fields[_DAY] is not None or schedule.fields[_MONTH] is not None:
        return "must have * as the day of the month and as the month"
    if _find_zone(schedule.zone) is None:
        return f"has a time zone that is unknown, {schedule.zone!r}: use a name like Europe/Vienna"
    return None


def next_autostart(text: str, after: datetime) -> datetime:
    """The first time later than `after` that a schedule without faults names, as UTC.

    A time of day that a change of the clocks skips comes right behind the gap; one that comes twice counts the first
    time only, unless the schedule names every hour.
    """
    from croniter import croniter

    schedule = parse_schedule(text)
    zone = _find_zone(schedule.zone)
    hours = schedule.fields[_HOUR]
    times = croniter(_spell_out(schedule), after.astimezone(zone), second_at_beginning=True)
    time: datetime = times.get_next(datetime)
    while time.fold and hours is not None and len(hours) < _HOURS:
        time = times.get_next(datetime)
    return time.astimezone(UTC)


def is_stopped_since(build: Build, time: datetime) -> bool:
    """Whether a workspace whose latest build this is was stopped, without a failure, before a time of its schedule."""
    is_stopped = build.transition is Transition.STOP and build.job.status is JobStatus.SUCCEEDED
    return is_stopped and build.created_at <= time


def _find_zone(name: str) -> tzinfo | None:
    if name in {"", "UTC"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        return None


def _spell_out(schedule: Schedule) -> str:
    """The fields as lists of plain numbers, which every cron reads alike."""
    return " ".join("*" if numbers is None else ",".join(map(str, numbers)) for numbers in schedule.fields)
