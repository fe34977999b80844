"""Moments as people say them, "5 minutes ago", put into HTML just before it goes out.

Pieces of pages are kept and compared as they were rendered, with the moments themselves in them, since what is said of
one changes by itself. times.js says it anew while the page is open, in the same words.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from babel.dates import format_timedelta
from markupsafe import Markup, escape

from genba_gateway.web.languages import LANGUAGES, current_language, translate

_Unit = Literal["year", "month", "week", "day", "hour", "minute", "second"]

_UNITS: Final[tuple[tuple[_Unit, int, timedelta], ...]] = (
    ("year", 31_557_600, timedelta(days=365)),
    ("month", 2_629_800, timedelta(days=30)),
    ("week", 604_800, timedelta(weeks=1)),
    ("day", 86_400, timedelta(days=1)),
    ("hour", 3_600, timedelta(hours=1)),
    ("minute", 60, timedelta(minutes=1)),
    ("second", 1, timedelta(seconds=1)),
)
"""Each unit's name, its seconds as times.js counts them, and what Babel takes for one."""

_TIME: Final = re.compile(r'(<time datetime="([\d:T-]+)Z">)[^<]*')
_KEPT_WORDS: Final = 1024


def show_time(moment: datetime, *, absolute: bool = False) -> Markup:
    """A moment: said when the page goes out; times.js shows an absolute one in the viewer's zone."""
    utc = moment.astimezone(UTC)
    day, clock = f"{utc:%Y-%m-%d}", f"{utc:%H:%M:%S}"
    way = " data-absolute" if absolute else ""
    return Markup(f'<time datetime="{day}T{clock}Z"{way}>{day} {clock[:5]} UTC</time>')  # noqa: S704 - digits only


def say_times(html: str, now: datetime) -> str:
    """Rendered HTML with what is said of its moments at `now`, in the language spoken here."""

    def say(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(f"{found[2]}+00:00")
        return f"{found[1]}{escape(say_relative(moment, now))}"

    return _TIME.sub(say, html)


def say_relative(moment: datetime, now: datetime) -> str:
    """A moment in the largest unit that is full, as "5 minutes ago" or "in 2 hours", in the language spoken here."""
    seconds = (moment - now).total_seconds()
    unit = next((index for index, (_, length, _) in enumerate(_UNITS) if abs(seconds) >= length), len(_UNITS) - 1)
    count = seconds / _UNITS[unit][1]
    # What was is told in full units; of what will be, 89.9 days are three months, not two.
    number = int(count + 0.5) if seconds > 0 else int(count)
    return _say_number(current_language(), unit, number) if number else translate("now")


@lru_cache(_KEPT_WORDS)
def _say_number(language: str, unit: int, number: int) -> str:
    name, _, length = _UNITS[unit]
    # A threshold that nothing reaches keeps Babel at the unit given.
    return format_timedelta(
        number * length, granularity=name, threshold=float("inf"), add_direction=True, locale=language
    )


# Babel reads a language's rules from files when it first needs them, which is no work for the loop.
for _language in LANGUAGES:
    format_timedelta(timedelta(), locale=_language)
