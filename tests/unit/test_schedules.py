"""The agent runs what the provider accepts, and nothing else."""

from __future__ import annotations

import pytest

from genba_agent.cron import read_timetable
from genba_gateway.provider.coder.cron import find_schedule_problem
from genba_wire.schedule import ScheduleError


def can_run(text: str) -> bool:
    try:
        read_timetable(text, {"TZ": "Europe/Berlin"})
    except ScheduleError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        "0 0 5 * * *",
        "0 5 * * *",
        "*/5 1-10/2 5/3 * JAN *",
        "?/5 * * * * *",
        "0 0 5 ? * MON-FRI",
        "0,30 0 5 1,15 * 0",
        "0 0 0 29 2 *",
        "@daily",
        "@hourly",
        "@every 5m",
        "@every 0.5s",
        "@every 2500000h",
        "CRON_TZ=UTC 0 0 0 * * *",
        "TZ=Europe/Berlin @monthly",
        "TZ=Local @weekly",
    ],
)
def test_what_the_provider_accepts_is_run(text: str) -> None:
    assert find_schedule_problem(text) is None
    assert can_run(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "* * * *",
        "* * * * * * *",
        "99 * * * * *",
        "0 0 5 L * *",
        "0 0 5 * * 7",
        "R * * * * *",
        "0 0 5 * * 1#2",
        "5-0 * * * * *",
        "0 0 5 * * FRI-MON",
        "@every 9999999h",
        "@sometimes",
        "TZ= @daily",
        "TZ=Mars/Olympus @daily",
    ],
)
def test_what_the_provider_refuses_is_not_run(text: str) -> None:
    assert find_schedule_problem(text) is not None
    assert not can_run(text)


@pytest.mark.parametrize("text", ["0 0 0 30 2 *", "0 0 0 31 2,4 *"])
def test_schedule_without_a_day_is_well_formed_and_never_runs(text: str) -> None:
    """Coder's provider accepts these, so a template may have one; the script's log says that it never runs."""
    assert find_schedule_problem(text) is None
    assert not can_run(text)
