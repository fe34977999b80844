from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from genba_gateway.domain.daily_users import DAYS, begin_of, count_by_day, find_first_day

NOW = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offset", "today", "begin"),
    [
        (0, date(2026, 3, 1), datetime(2026, 3, 1, 0, tzinfo=UTC)),
        (-9, date(2026, 3, 2), datetime(2026, 3, 1, 15, tzinfo=UTC)),
        (8, date(2026, 3, 1), datetime(2026, 3, 1, 8, tzinfo=UTC)),
    ],
)
def test_days_are_those_of_the_time_zone(offset: int, today: date, begin: datetime) -> None:
    first = find_first_day(NOW, offset)
    assert (today - first).days == DAYS - 1
    assert begin_of(today, offset) == begin
    before = begin.replace(hour=begin.hour - 1) if begin.hour else datetime(2026, 2, 28, 23, tzinfo=UTC)
    counts = count_by_day([(begin, "ana"), (before, "bob"), (before, "ana")], first, offset)
    assert list(counts.values())[-2:] == [2, 1]


def test_everybody_counts_once_a_day_and_every_day_is_there() -> None:
    first = find_first_day(NOW, 0)
    uses = [(NOW.replace(hour=hour), user) for hour in range(20) for user in ("ana", "bob")]
    counts = count_by_day(uses, first, 0)
    assert len(counts) == DAYS
    assert (next(iter(counts)), sum(counts.values()), counts[NOW.date()]) == (first, 2, 2)
