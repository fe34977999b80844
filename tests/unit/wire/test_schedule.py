"""The grammar of schedules. That the provider and the agent agree on it is tests/unit/test_schedules.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.schedule import FIELDS, Schedule, ScheduleError, has_five_fields, parse_schedule

ANY = (None,) * 3


def test_fields_become_numbers() -> None:
    assert parse_schedule("*/20 1-10/3 22/1 1,15,1 JAN Fri-SAT") == Schedule(
        "", fields=((0, 20, 40), (1, 4, 7, 10), (22, 23), (1, 15), (1,), (5, 6))
    )


def test_star_is_kept_apart_from_a_list_of_all() -> None:
    assert parse_schedule("0 0 * ? */1 0-6").fields == ((0,), (0,), *ANY, tuple(range(7)))


def test_five_fields_begin_at_second_0() -> None:
    assert parse_schedule("5 * * * *").fields == ((0,), (5,), *ANY, None)
    assert has_five_fields("0 5 * * *")
    assert has_five_fields("CRON_TZ=UTC 0 5 * * *")
    assert not has_five_fields("TZ= 0 0 5 * * *")
    assert not has_five_fields("0 0 5 * * *")
    assert not has_five_fields("@hourly")


@pytest.mark.parametrize(
    ("text", "every_s"),
    [("1h30m", 5400), ("90s", 90), ("1.5m", 90), ("1.h", 3600), ("0s", 1), ("999ms", 1), ("2500000h", 9_000_000_000)],
)
def test_every_is_whole_seconds(text: str, every_s: int) -> None:
    assert parse_schedule(f"@every {text}") == Schedule("", every_s=every_s)


def test_zone_is_taken_off_the_front() -> None:
    assert parse_schedule("CRON_TZ=Europe/Berlin @every 5s") == Schedule("Europe/Berlin", every_s=5)


@pytest.mark.parametrize(
    "text", ["@every 5", "@every -5s", "@every 2562048h", "@every 1d", "TZ= @daily", "1" * 5000 + " * * * * *"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(text)


@given(st.text(max_size=30) | st.text("0123456789*?/-,@every hsm=TZCRON_", max_size=60))
def test_any_text_is_judged(text: str) -> None:
    try:
        schedule = parse_schedule(text)
    except ScheduleError:
        return
    assert schedule.every_s or len(schedule.fields) == len(FIELDS)
