"""Schedules of scripts, as Coder's agents read them: what the provider accepts and what the agent runs.

    second minute hour day-of-month month day-of-week      "0 30 6 * * 1-5", "*/10 * * * * *", "0 0 9 ? JAN,JUL *"
    minute hour day-of-month month day-of-week             the older form, at second 0
    @yearly @annually @monthly @weekly @daily @midnight @hourly
    @every 1h30m                                           from run to run, whole seconds
    CRON_TZ=Europe/Berlin … or TZ=Europe/Berlin …          a zone of its own before any of these

A field is a list, with commas, of numbers, ranges a-b, `*` or `?`, each with an optional step; months and days have
names. `5/10` begins at 5 and ends with the field. When neither day field is `*`, either of them makes a day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DESCRIPTORS: Final = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}

MAX_EVERY_NS: Final = 2**63 - 1
"""Go's durations, which templates for Coder were checked with, end here: after 292 years."""

UNITS_NS: Final = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}

LOCAL_ZONES: Final = ("", "Local")
"""Names of the workspace's own zone."""

_EVERY = re.compile(r"@every ((?:[0-9]{1,20}(?:\.[0-9]{0,20})?(?:ns|us|µs|ms|s|m|h))+)")
_DURATION_PART = re.compile(r"([0-9]+)(?:\.([0-9]*))?(ns|us|µs|ms|s|m|h)")
_ZONE = re.compile(r"(?:CRON_TZ|TZ)=(\S*)\s+(.*)", re.DOTALL)
_RANGE = re.compile(r"([*?]|\w+)(?:-(\w+))?(?:/([0-9]{1,9}))?")
_NUMBER = re.compile(r"[0-9]{1,9}")


class ScheduleError(ValueError):
    """The text is no schedule: one sentence says why."""


@dataclass(frozen=True, slots=True)
class Field:
    """One of a schedule's fields: its name and its range."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


FIELDS: Final = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 6, DAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule, understood.

    Attributes:
        zone: the name of its time zone, which nobody has looked up; "" for the workspace's.
        every_s: seconds between two runs; 0 for a schedule with fields.
        fields: for each of `FIELDS` the numbers that match, ascending; None for any number.
    """

    zone: str
    every_s: int = 0
    fields: tuple[tuple[int, ...] | None, ...] = ()


def parse_schedule(text: str) -> Schedule:
    """Read a schedule.

    Raises:
        ScheduleError: it is none.
    """
    zone, rest = _split_zone(text)
    if zone is None:
        raise ScheduleError("The time zone's name is missing. Use one like Europe/Berlin.")
    every = _EVERY.fullmatch(rest)
    if every is not None:
        return Schedule(zone, every_s=_read_every(every[1]))
    parts = DESCRIPTORS.get(rest, rest).split()
    if len(parts) == len(FIELDS) - 1:
        parts = ["0", *parts]
    if len(parts) != len(FIELDS):
        raise ScheduleError(
            f"{rest!r} has {len(parts)} fields, not 6. Write second, minute, hour, day of the month, month and "
            "day of the week, like 0 30 6 * * 1-5."
        )
    return Schedule(zone, fields=tuple(_read_field(field, part) for field, part in zip(FIELDS, parts, strict=True)))


def has_five_fields(text: str) -> bool:
    """Say whether this is a schedule of the older form, which has no seconds."""
    return len(_split_zone(text)[1].split()) == len(FIELDS) - 1


def _split_zone(text: str) -> tuple[str | None, str]:
    """Take the zone from the front; "" where none is asked for, None where its name is missing."""
    zoned = _ZONE.fullmatch(text)
    return ("", text) if zoned is None else (zoned[1] or None, zoned[2])


def _read_every(text: str) -> int:
    parts: list[tuple[str, str, str]] = _DURATION_PART.findall(text)
    ns = sum(Fraction(int(whole + part), 10 ** len(part)) * UNITS_NS[unit] for whole, part, unit in parts)
    if ns > MAX_EVERY_NS:
        raise ScheduleError(f"{text!r} is longer than 292 years.")
    return max(1, int(ns) // UNITS_NS["s"])


def _read_field(field: Field, text: str) -> tuple[int, ...] | None:
    numbers: set[int] = set()
    is_any = False
    for item in text.split(","):
        try:
            matching = _read_item(field, item)
        except ScheduleError as error:
            raise ScheduleError(f"{item!r} can't be the {field.name}: {error}.") from error
        is_any = is_any or matching is None
        numbers.update(matching or ())
    return None if is_any else tuple(sorted(numbers))


def _read_item(field: Field, item: str) -> range | None:
    match = _RANGE.fullmatch(item)
    if match is None:
        raise ScheduleError("use numbers, a-b, *, steps like */5, and commas")
    first, last, step_text = match.groups()
    step = int(step_text or 1)
    if step == 0:
        raise ScheduleError("a step of 0 never ends")
    if first in ("*", "?"):
        if last is not None:
            raise ScheduleError("a range has two numbers")
        return None if step == 1 else range(field.low, field.high + 1, step)
    low = _read_number(field, first)
    # A number alone is itself; with a step, all that follow.
    high = _read_number(field, last) if last is not None else field.high if step_text is not None else low
    if low > high:
        raise ScheduleError("the range ends before it begins")
    return range(low, high + 1, step)


def _read_number(field: Field, word: str) -> int:
    if _NUMBER.fullmatch(word):
        number = int(word)
    elif word.lower() in field.words:
        number = field.words.index(word.lower()) + field.low
    else:
        raise ScheduleError(f"{word!r} is no number")
    if not field.low <= number <= field.high:
        raise ScheduleError(f"it goes from {field.low} to {field.high}")
    return number
