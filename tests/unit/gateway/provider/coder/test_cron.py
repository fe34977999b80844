"""Schedules that Coder's agents accept, and others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.provider.coder.cron import find_schedule_problem, has_five_fields
from genba_wire.schedule import FIELDS


@pytest.mark.parametrize(
    "text",
    [
        "0 0 5 * * *",
        "*/5 1-10/2 5/3 * JAN *",
        "0 0 5 ? * MON-FRI",
        "0,30 0 5 1,15 * 0",
        "@hourly",
        "@every 1h30m",
        "CRON_TZ=Europe/Berlin 0 0 5 * * *",
        "TZ=UTC @daily",
        "0 5 * * *",
    ],
)
def test_schedule_is_accepted(text: str) -> None:
    assert find_schedule_problem(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * * *", "7 fields"),
        ("0 99 * * * *", "from 0 to 59"),
        ("0 0 24 * * *", "from 0 to 23"),
        ("0 0 5 0 * *", "from 1 to 31"),
        ("0 0 5 * 13 *", "from 1 to 12"),
        ("0 0 5 * * 7", "from 0 to 6"),
        ("0 0 5 L * *", "no number"),
        ("0 0 5 * * 1#2", "use numbers"),
        ("*/0 * * * * *", "never ends"),
        ("9-3 * * * * *", "ends before it begins"),
        ("*-3 * * * * *", "two numbers"),
        ("0 0 5 * * FRI-MON", "ends before it begins"),
        ("CRON_TZ=Mars/Olympus 0 0 5 * * *", "no time zone"),
        ("@sometimes", "fields"),
        ("1,,2 * * * * *", "use numbers"),
    ],
)
def test_schedule_is_refused_with_the_reason(text: str, reason: str) -> None:
    assert reason in (find_schedule_problem(text) or "")


@given(st.data())
def test_numbers_in_range_are_accepted_and_others_are_not(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, 5))
    number = data.draw(st.integers(0, 99))
    fields = ["*"] * 6
    fields[position] = str(number)
    is_inside = FIELDS[position].low <= number <= FIELDS[position].high
    assert (find_schedule_problem(" ".join(fields)) is None) is is_inside


@given(st.text(max_size=30))
def test_any_text_is_judged(text: str) -> None:
    find_schedule_problem(text)


def test_older_form_is_recognised() -> None:
    assert has_five_fields("0 5 * * *")
    assert has_five_fields("CRON_TZ=UTC 0 5 * * *")
    assert not has_five_fields("0 0 5 * * *")
    assert not has_five_fields("@hourly")
