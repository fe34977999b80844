from __future__ import annotations

from datetime import UTC, datetime

import pytest

from genba_agent.cron import is_valid_schedule, next_run

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/10 * * * * *", datetime(2026, 1, 5, 12, 0, 10, tzinfo=UTC)),
        ("30 15 * * * *", datetime(2026, 1, 5, 12, 15, 30, tzinfo=UTC)),
        ("0 0 9 * * 1-5", datetime(2026, 1, 6, 9, 0, tzinfo=UTC)),
        ("5 13 * * *", datetime(2026, 1, 5, 13, 5, tzinfo=UTC)),
    ],
)
def test_six_fields_begin_with_seconds_and_five_with_minutes(schedule: str, expected: datetime) -> None:
    assert is_valid_schedule(schedule)
    assert next_run(schedule, NOON) == expected


@pytest.mark.parametrize("schedule", ["", "nonsense", "* * * *", "99 * * * * *", "* * * * * * *"])
def test_nonsense_is_no_schedule(schedule: str) -> None:
    assert not is_valid_schedule(schedule)
