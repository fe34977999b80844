"""When scheduled scripts run. croniter is imported with the first schedule, as most workspaces have none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from genba_wire.schedule import LOCAL_ZONES, Schedule, ScheduleError, parse_schedule

LOCALTIME: Final = Path("/etc/localtime")

HOUR: Final = 2
"""Where the hour stands among a schedule's fields."""

HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Timetable:
    """A schedule and the zone that its times of day are in."""

    schedule: Schedule
    zone: tzinfo

    def next_run(self, after: datetime) -> datetime:
        """Return the first time later than `after`, as UTC: two times of one zone differ by their wall clocks.

        A time of day that a change of the clocks skips comes right behind the gap. One that comes twice counts the
        first time only, unless the script runs every hour.

        Raises:
            ScheduleError: there is none, as for the 30th of February.
        """
        if self.schedule.every_s:
            try:
                return after.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=self.schedule.every_s)
            except OverflowError as error:
                raise ScheduleError("It ends after the calendar.") from error
        from croniter import CroniterBadDateError, croniter

        hours = self.schedule.fields[HOUR]
        times = croniter(_spell_out(self.schedule), after.astimezone(self.zone), second_at_beginning=True)
        try:
            time = times.get_next(datetime)
            while time.fold and hours is not None and len(hours) < HOURS:
                time = times.get_next(datetime)
        except CroniterBadDateError as error:
            raise ScheduleError("No day matches it.") from error
        return time.astimezone(UTC)


def read_timetable(text: str, environ: Mapping[str, str]) -> Timetable:
    """Read a schedule and find its zone. Touches the disk: call it in a thread.

    Raises:
        ScheduleError: it is none, its zone is unknown here, or it never comes.
    """
    schedule = parse_schedule(text)
    zone = find_local_zone(environ) if schedule.zone in LOCAL_ZONES else find_zone(schedule.zone)
    if zone is None:
        raise ScheduleError(f"This workspace knows no time zone {schedule.zone!r}.")
    timetable = Timetable(schedule, zone)
    # Also imports croniter here, in the thread.
    timetable.next_run(datetime.now(UTC))
    return timetable


def find_zone(name: str) -> tzinfo | None:
    """Find a zone by its name, in the machine's database or the one that comes with us."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        return None


def find_local_zone(environ: Mapping[str, str], localtime: Path = LOCALTIME) -> tzinfo:
    """Find this machine's zone as the C library does: TZ, then /etc/localtime, then UTC.

    A TZ that spells out the rules, like CET-1CEST, is of no use to zoneinfo; the offset of now stands for it.
    """
    named = environ.get("TZ")
    if named is not None:
        name = named.removeprefix(":")
        zone = (_read_zone(Path(name)) if os.path.isabs(name) else find_zone(name)) if name else UTC
        return zone or datetime.now().astimezone().tzinfo or UTC
    return _read_zone(localtime) or UTC


def _read_zone(path: Path) -> tzinfo | None:
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return None


def _spell_out(schedule: Schedule) -> str:
    """Write the fields as lists of plain numbers, which every cron reads alike."""
    return " ".join("*" if numbers is None else ",".join(map(str, numbers)) for numbers in schedule.fields)
