from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genba_gateway.domain.autostart import MAX_SCHEDULE_CHARS, explain_bad_autostart, next_autostart

WEDNESDAY = datetime(2026, 3, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule",
    ["30 9 * * 1-5", "CRON_TZ=Europe/Vienna 30 9 * * MON-FRI", "CRON_TZ=UTC 0 0 * * *", "TZ=Asia/Tokyo 0 7 ? ? 1,3"],
)
def test_what_is_a_schedule(schedule: str) -> None:
    assert explain_bad_autostart(schedule) is None


@pytest.mark.parametrize(
    ("schedule", "wrong"),
    [
        ("0 30 9 * * 1-5", "five fields"),
        ("@daily", "five fields"),
        ("@every 1h", "five fields"),
        ("", "five fields"),
        ("60 9 * * 1-5", "0 to 59"),
        ("30 9 1 * *", "day of the month"),
        ("30 9 * 5 *", "day of the month and as the month"),
        ("CRON_TZ=Mars/Base 30 9 * * *", "Mars/Base"),
        ("CRON_TZ=../../etc/passwd 30 9 * * *", "unknown"),
        ("CRON_TZ=Local 30 9 * * *", "unknown"),
        ("CRON_TZ= 30 9 * * *", "name is missing"),
    ],
)
def test_what_is_none(schedule: str, wrong: str) -> None:
    assert wrong in (explain_bad_autostart(schedule) or "")


def test_a_schedule_may_be_long_but_not_longer() -> None:
    longest = "0," * ((MAX_SCHEDULE_CHARS - 10) // 2) + "00 9 * * *"
    assert len(longest) == MAX_SCHEDULE_CHARS
    assert explain_bad_autostart(longest) is None
    assert "characters" in (explain_bad_autostart("0" + longest) or "")


def test_the_next_time_is_in_the_schedules_own_zone() -> None:
    assert next_autostart("30 9 * * 1-5", WEDNESDAY) == datetime(2026, 3, 26, 9, 30, tzinfo=UTC)
    # Clocks change on the 29th.
    vienna = "CRON_TZ=Europe/Vienna 30 9 * * 1,5"
    assert next_autostart(vienna, WEDNESDAY) == datetime(2026, 3, 27, 8, 30, tzinfo=UTC)
    assert next_autostart(vienna, WEDNESDAY + timedelta(days=3)) == datetime(2026, 3, 30, 7, 30, tzinfo=UTC)


def test_the_time_itself_is_not_next() -> None:
    at = datetime(2026, 3, 26, 9, 30, tzinfo=UTC)
    assert next_autostart("30 9 * * *", at) == at + timedelta(days=1)
    assert next_autostart("30 9 * * *", at - timedelta(microseconds=1)) == at


def test_a_time_that_comes_twice_counts_once() -> None:
    first = next_autostart("CRON_TZ=Europe/Vienna 30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_autostart("CRON_TZ=Europe/Vienna 30 2 * * *", first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_time_that_the_clocks_skip_comes_behind_the_gap() -> None:
    found = next_autostart("CRON_TZ=Europe/Vienna 30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert found.date() == datetime(2026, 3, 29).date()
    assert found >= datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
