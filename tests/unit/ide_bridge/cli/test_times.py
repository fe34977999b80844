"""How durations and schedules are read, and how moments are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genba_ide_bridge.cli.durations import parse_duration
from genba_ide_bridge.cli.output import ago
from genba_ide_bridge.cli.schedules import parse_schedule

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("30d", 2_592_000), ("2w", 1_209_600), ("250ms", 0.25), ("0", 0)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "1h30", "h", "-1h", "1 hour"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("9:30AM Mon-Fri Europe/Vienna", "CRON_TZ=Europe/Vienna 30 9 * * 1-5"),
        ("12am UTC", "CRON_TZ=UTC 0 0 * * *"),
        ("12:05 PM sun,Wed UTC", "CRON_TZ=UTC 5 12 * * 0,3"),
        ("23:59 1-5 UTC", "CRON_TZ=UTC 59 23 * * 1-5"),
        ("CRON_TZ=UTC 0 9 * * *", "CRON_TZ=UTC 0 9 * * *"),
    ],
)
def test_schedules_are_read(text: str, cron: str) -> None:
    assert parse_schedule(text) == cron


@pytest.mark.parametrize("text", ["", "noon", "25:00", "9:75", "13PM", "0AM", "9:00 Xyz UTC", "9:00 Mon UTC more"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_schedule(text)


def test_the_local_zone_is_taken_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    assert parse_schedule("9AM") == "CRON_TZ=Asia/Tokyo 0 9 * * *"


def test_moments_are_told_relative_to_now() -> None:
    assert ago(NOW - timedelta(seconds=5), NOW) == "5s ago"
    assert ago(NOW - timedelta(minutes=90), NOW) == "1h ago"
    assert ago(NOW + timedelta(days=2), NOW) == "in 2d"
    assert ago(datetime(1, 1, 1, tzinfo=UTC), NOW) == "never"
    assert ago(None, NOW) == "never"
