"""Schedules of scripts: six fields, seconds first, as Coder reads them.

croniter accepts more (Sunday as 7, `L`, `#`, five fields with another meaning) and has the seconds elsewhere, so the
fields are checked here, against the ranges that Coder's agents accept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import available_timezones

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")

_EVERY = re.compile(r"@every (?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))+")
_ZONE = re.compile(r"(?:CRON_TZ|TZ)=(\S*)\s+(.*)", re.DOTALL)
_RANGE = re.compile(r"([*?]|\w+)(?:-(\w+))?(?:/([0-9]+))?")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()


FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("day of the week", 0, 6, DAYS),
)


def find_schedule_problem(text: str) -> str | None:
    """Say what is wrong with a schedule, or None."""
    zoned = _ZONE.fullmatch(text)
    if zoned is not None:
        if zoned[1] not in available_timezones() | {"UTC", "Local"}:
            return f"{zoned[1]!r} is no time zone. Use a name like Europe/Berlin."
        text = zoned[2]
    if text in DESCRIPTORS or _EVERY.fullmatch(text):
        return None
    parts = text.split()
    # Five fields are understood as without seconds.
    fields = FIELDS[1:] if len(parts) == 5 else FIELDS
    if len(parts) != len(fields):
        return (
            f"{text!r} has {len(parts)} fields, not 6. Write second, minute, hour, day of the month, month and "
            "day of the week, like 0 30 6 * * 1-5."
        )
    for field, part in zip(fields, parts, strict=True):
        for item in part.split(","):
            problem = _find_item_problem(field, item)
            if problem is not None:
                return f"{item!r} can't be the {field.name}: {problem}."
    return None


def has_five_fields(text: str) -> bool:
    """Say whether this is a schedule of the older form, which has no seconds."""
    zoned = _ZONE.fullmatch(text)
    return len((zoned[2] if zoned else text).split()) == 5


def _find_item_problem(field: _Field, item: str) -> str | None:
    match = _RANGE.fullmatch(item)
    if match is None:
        return "use numbers, a-b, *, steps like */5, and commas"
    first, last, step = match.groups()
    if step is not None and int(step) == 0:
        return "a step of 0 never ends"
    if first in ("*", "?"):
        return None if last is None else "a range has two numbers"
    numbers: list[int] = []
    for word in (first, last):
        if word is None:
            continue
        number = _read_number(field, word)
        if number is None:
            return f"{word!r} is no number"
        if not field.low <= number <= field.high:
            return f"it goes from {field.low} to {field.high}"
        numbers.append(number)
    return "the range ends before it begins" if numbers[0] > numbers[-1] else None


def _read_number(field: _Field, word: str) -> int | None:
    if word.isascii() and word.isdigit():
        return int(word)
    if word.lower() in field.words:
        return field.words.index(word.lower()) + field.low
    return None
