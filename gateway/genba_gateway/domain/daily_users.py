"""How many people used workspaces on each day, in somebody's time zone (contract, appendix A)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

DAYS: Final = 60
"""So many are told of, today included."""

MIN_OFFSET: Final = -14
MAX_OFFSET: Final = 12
"""Of the world's time zones, in hours from local time to UTC as browsers count them: -9 in Tokyo, 8 in California."""


def find_first_day(now: datetime, offset: int) -> date:
    """The earliest local day that is told of."""
    return (now - timedelta(hours=offset)).date() - timedelta(days=DAYS - 1)


def begin_of(day: date, offset: int) -> datetime:
    """When a local day begins."""
    return datetime.combine(day, time(), UTC) + timedelta(hours=offset)


def count_by_day(uses: Iterable[tuple[datetime, str]], first: date, offset: int) -> Mapping[date, int]:
    """Count each user once a local day, from the first of `DAYS` days on.

    Args:
        uses: times, and who used a workspace then.
        first: the first day.
        offset: the time zone.
    """
    active = {((when - timedelta(hours=offset)).date(), user_id) for when, user_id in uses}
    counts = Counter(day for day, _ in active)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return {day: counts[day] for day in days}
