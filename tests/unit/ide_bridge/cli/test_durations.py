"""Durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import click
import pytest

from genba_ide_bridge.cli.durations import MAX_DURATION, Duration, parse_duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0", timedelta(0)),
        ("90m", timedelta(minutes=90)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("1h 30m", timedelta(hours=1, minutes=30)),
        ("1.5d", timedelta(hours=36)),
        ("2w", timedelta(weeks=2)),
        ("250ms", timedelta(milliseconds=250)),
    ],
)
def test_durations_are_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "5", "-1h", "1y", "h", "1h!"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration like 90m"):
        parse_duration(text)


def test_a_duration_fits_into_the_apis_nanoseconds() -> None:
    days = MAX_DURATION.days
    assert parse_duration(f"{days}d") == timedelta(days=days)
    assert MAX_DURATION // timedelta(microseconds=1) * 1000 < 2**63
    for text in (f"{days + 1}d", "9999999999w", "9" * 400 + "w"):
        with pytest.raises(ValueError, match="longer than the 292 years"):
            parse_duration(text)


def test_a_flag_may_name_the_least_that_it_takes() -> None:
    second = Duration(at_least=timedelta(seconds=1))
    assert second.convert("1s", None, None) == timedelta(seconds=1)
    with pytest.raises(click.BadParameter, match=r'"999ms" is less than 1 s'):
        second.convert("999ms", None, None)
