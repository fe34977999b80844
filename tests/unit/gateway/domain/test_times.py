from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from genba_gateway.domain.times import in_utc, parse_time


def test_a_time_is_read_into_utc() -> None:
    assert parse_time("2026-01-02T03:04:05+02:00") == datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
    assert parse_time("2026-01-02t03:04:05z").tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("yesterday", "RFC 3339"),
        ("2026-01-02T03:04:05", "offset"),
        ("9999-12-31T23:59:59-14:00", "outside"),
        ("0001-01-01T00:00:00+14:00", "outside"),
    ],
)
def test_what_is_no_time_is_said(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_time(text)


def test_a_time_without_a_zone_is_utc() -> None:
    assert in_utc(datetime(2026, 1, 2)) == datetime(2026, 1, 2, tzinfo=UTC)  # that is what it is about
    with pytest.raises(ValueError, match="outside"):
        in_utc(datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))))
