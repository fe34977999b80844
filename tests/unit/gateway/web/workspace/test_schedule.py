from __future__ import annotations

import pytest

from genba_gateway.domain.autostart import explain_bad_autostart
from genba_gateway.errors import BadRequest
from genba_gateway.web.workspace.schedule import DAYS, ChosenSchedule, describe_schedule, read_schedule, write_schedule


@pytest.mark.parametrize(("days", "text"), [(["5", "1"], "1,5"), (list(DAYS), "*"), (["0"], "0"), (["9", "2"], "2")])
def test_what_is_chosen_is_a_schedule_and_is_shown_again(days: list[str], text: str) -> None:
    written = write_schedule("09:05", days, "Asia/Tokyo")
    assert written == f"CRON_TZ=Asia/Tokyo 5 9 * * {text}"
    assert written is not None
    assert explain_bad_autostart(written) is None
    shown = read_schedule(written)
    assert shown is not None
    assert (shown.time, shown.zone, set(shown.days)) == ("09:05", "Asia/Tokyo", set(days) & DAYS.keys())


def test_no_time_is_never_and_no_zone_is_utc() -> None:
    assert write_schedule(" ", ["1"], "x") is None
    assert write_schedule("23:59", ["1"], "") == "CRON_TZ=UTC 59 23 * * 1"


@pytest.mark.parametrize(
    ("time", "days", "zone"),
    [
        ("24:00", ["1"], "UTC"),
        ("9:30", ["1"], "UTC"),
        ("09:30", [], "UTC"),
        ("09:30", ["1"], "UTC 1 2"),
        ("09:30", ["1"], "a" * 65),
    ],
)
def test_what_is_no_schedule_is_refused(time: str, days: list[str], zone: str) -> None:
    with pytest.raises(BadRequest):
        write_schedule(time, days, zone)


@pytest.mark.parametrize("text", ["", "0 9,17 * * 1", "*/5 9 * * *", "nonsense", "0 * * * *"])
def test_what_the_form_can_not_show_is_none(text: str) -> None:
    assert read_schedule(text) is None


def test_a_schedule_written_elsewhere_is_shown() -> None:
    assert read_schedule("30 9 * * 1-2") == ChosenSchedule("09:30", ("1", "2"), "UTC")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("CRON_TZ=Asia/Tokyo 5 9 * * *", "09:05, every day (Asia/Tokyo)"),
        ("CRON_TZ=UTC 30 17 * * 0-6", "17:30, every day (UTC)"),
        ("30 17 * * 1-5", "17:30, Monday to Friday (UTC)"),
        ("0 8 * * 0,6", "08:00, Saturday, Sunday (UTC)"),
        ("0 8,9 * * 1", "0 8,9 * * 1"),
    ],
)
def test_a_schedule_is_said_in_words_where_there_are_some(text: str, said: str) -> None:
    assert describe_schedule(text) == said
