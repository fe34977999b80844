"""What the provider says of a script's schedule before an agent gets it (genba_wire.schedule reads it for both)."""

from __future__ import annotations

from zoneinfo import available_timezones

from genba_wire.schedule import LOCAL_ZONES, ScheduleError, parse_schedule
from genba_wire.schedule import has_five_fields as has_five_fields


def find_schedule_problem(text: str) -> str | None:
    """Say what is wrong with a schedule, or None."""
    try:
        schedule = parse_schedule(text)
    except ScheduleError as error:
        return str(error)
    if schedule.zone not in LOCAL_ZONES and schedule.zone not in available_timezones() | {"UTC"}:
        return f"{schedule.zone!r} is no time zone. Use a name like Europe/Berlin."
    return None
