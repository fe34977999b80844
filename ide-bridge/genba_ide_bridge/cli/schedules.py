"""Autostart schedules as people write them: `9:30AM Mon-Fri Europe/Vienna`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import click

_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(AM|PM)?", re.IGNORECASE)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_WORDS = re.compile(r"(?:[a-z]{3,9}|[0-6]|\*)(?:[-,](?:[a-z]{3,9}|[0-6]))*", re.IGNORECASE)


class AutostartSchedule(click.ParamType[str]):
    """A flag's schedule, turned into the cron text of the contract (4.3)."""

    name = "schedule"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Parse it."""
        try:
            return parse_schedule(str(value))
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=param) from error


def parse_schedule(text: str) -> str:
    """Read `TIME [DAYS] [ZONE]` into `CRON_TZ=ZONE minute hour * * days`; every day and the local zone by default.

    Raises:
        ValueError: it is no schedule; says what one looks like.
    """
    if text.startswith("CRON_TZ="):
        return text
    words = text.split()
    if len(words) > 1 and words[1].upper() in ("AM", "PM"):
        words[:2] = [words[0] + words[1]]
    matched = _TIME.fullmatch(words[0]) if words else None
    if matched is None or len(words) > 3:
        raise ValueError(f'"{text}" is not a schedule like "9:30AM Mon-Fri Europe/Vienna".')
    hour, minute = _parse_time(text, matched)
    rest = words[1:]
    days = _parse_days(rest.pop(0)) if rest and "/" not in rest[0] and rest[0].upper() != "UTC" else "*"
    zone = rest.pop(0) if rest else _local_zone()
    if rest:
        raise ValueError(f'"{text}" has a word too many: a schedule is TIME [DAYS] [ZONE].')
    return f"CRON_TZ={zone} {minute} {hour} * * {days}"


_PLAIN = re.compile(r"(?:CRON_TZ=(\S+) )?(\d{1,2}) (\d{1,2}) \* \* (\S+)")
_SHORT_DAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def describe_schedule(schedule: str) -> str:
    """Say a schedule as people write it, `9:30AM Mon-Fri (Europe/Vienna)`; one that is not of this form, as it is."""
    matched = _PLAIN.fullmatch(schedule)
    if matched is None or int(matched[2]) > 59 or int(matched[3]) > 23:
        return schedule
    hour, minute = int(matched[3]), int(matched[2])
    time = f"{(hour - 1) % 12 + 1}:{minute:02}{'AM' if hour < 12 else 'PM'}"
    days = "" if matched[4] == "*" else " " + re.sub(r"[0-6]", lambda day: _SHORT_DAYS[int(day[0])], matched[4])
    return f"{time}{days} ({matched[1] or 'UTC'})"


def _parse_time(text: str, matched: re.Match[str]) -> tuple[int, int]:
    hour, minute, half = int(matched[1]), int(matched[2] or 0), (matched[3] or "").upper()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f'"{text}" has no hour from 1 to 12.')
        hour = hour % 12 + (12 if half == "PM" else 0)
    if hour > 23 or minute > 59:
        raise ValueError(f'"{text}" has no time of day.')
    return hour, minute


def _parse_days(text: str) -> str:
    if not _DAY_WORDS.fullmatch(text):
        raise ValueError(f'"{text}" are not days like Mon-Fri or Mon,Wed.')

    def number_of(word: re.Match[str]) -> str:
        short = word[0].lower()[:3]
        if short not in _DAYS:
            raise ValueError(f'"{word[0]}" is not a day of the week.')
        return str(_DAYS.index(short))

    return re.sub(r"[A-Za-z]+", number_of, text)


def _local_zone() -> str:
    named = os.environ.get("TZ", "").lstrip(":")
    if "/" in named and not named.startswith("/"):
        return named
    _, found, zone = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
    return zone if found else "UTC"
