"""Autostart schedules as people write them."""

from __future__ import annotations

import pytest

from genba_ide_bridge.cli.schedules import describe_schedule, parse_schedule


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


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("CRON_TZ=Europe/Vienna 30 9 * * 1-5", "9:30AM Mon-Fri (Europe/Vienna)"),
        ("0 0 * * *", "12:00AM (UTC)"),
        ("5 12 * * 0,6", "12:05PM Sun,Sat (UTC)"),
        ("59 23 * * *", "11:59PM (UTC)"),
        ("*/5 9 * * *", "*/5 9 * * *"),
        ("60 9 * * *", "60 9 * * *"),
        ("0 24 * * *", "0 24 * * *"),
        ("", ""),
    ],
)
def test_a_schedule_is_said_as_people_write_it(schedule: str, said: str) -> None:
    assert describe_schedule(schedule) == said
