"""Schedules as people choose them: a time of day, days of the week, a time zone (contract 4.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from genba_gateway.errors import BadRequest
from genba_gateway.web.languages import mark, translate
from genba_wire.schedule import ScheduleError, parse_schedule

DAYS: Final = {
    "1": mark("Monday"),
    "2": mark("Tuesday"),
    "3": mark("Wednesday"),
    "4": mark("Thursday"),
    "5": mark("Friday"),
    "6": mark("Saturday"),
    "0": mark("Sunday"),
}
"""By their numbers in schedules, in the order of a week."""

_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z0-9_+/-]{1,64}", re.ASCII)
_WORKING_DAYS: Final = {"1", "2", "3", "4", "5"}
_MINUTE, _HOUR, _WEEKDAY = 0, 1, 4


@dataclass(frozen=True, slots=True)
class ChosenSchedule:
    """One time of some days; `time` is HH:MM, `days` are numbers from 0, Sunday."""

    time: str
    days: tuple[str, ...]
    zone: str


def read_schedule(text: str) -> ChosenSchedule | None:
    """A stored schedule as the form shows it; None for none, and for one that is more than one time of some days."""
    if not text:
        return None
    try:
        schedule = parse_schedule(text)
    except ScheduleError:
        return None
    fields = schedule.fields[-5:]
    minutes, hours, days = fields[_MINUTE], fields[_HOUR], fields[_WEEKDAY]
    if minutes is None or hours is None or len(minutes) != 1 or len(hours) != 1:
        return None
    chosen = tuple(DAYS) if days is None else tuple(dict.fromkeys(str(day % 7) for day in days))
    return ChosenSchedule(f"{hours[0]:02}:{minutes[0]:02}", chosen, schedule.zone or "UTC")


def describe_schedule(text: str) -> str:
    """A stored schedule in words, in the language spoken here; empty for none, and what is stored if it is more."""
    chosen = read_schedule(text)
    if chosen is None:
        return text
    if set(chosen.days) == DAYS.keys():
        days = translate("every day")
    elif set(chosen.days) == _WORKING_DAYS:
        days = translate("Monday to Friday")
    else:
        days = ", ".join(translate(name) for day, name in DAYS.items() if day in chosen.days)
    return f"{chosen.time}, {days} ({chosen.zone})"


def write_schedule(time: str, days: Sequence[str], zone: str) -> str | None:
    """What is stored for what was chosen; None without a time, which means never.

    Raises:
        BadRequest: the time is none, no day was chosen, or the zone has signs that no name of a zone has.
    """
    if not time.strip():
        return None
    found = _TIME.fullmatch(time.strip())
    if found is None:
        raise BadRequest(translate("Write the time as hours and minutes, such as 09:30."))
    chosen = [day for day in DAYS if day in days]
    if not chosen:
        raise BadRequest(translate("Choose a day, or leave the time empty."))
    zone = zone.strip() or "UTC"
    if _ZONE.fullmatch(zone) is None:
        raise BadRequest(translate("Write the time zone as a name, such as Asia/Tokyo."))
    weekdays = "*" if len(chosen) == len(DAYS) else ",".join(sorted(chosen))
    return f"CRON_TZ={zone} {int(found[2])} {int(found[1])} * * {weekdays}"
