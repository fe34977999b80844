from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from genba_agent.cron import Timetable, find_local_zone, find_zone, read_timetable
from genba_wire.schedule import ScheduleError, parse_schedule

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def next_run(text: str, after: datetime = NOON, zone: tzinfo = UTC) -> datetime:
    return Timetable(parse_schedule(text), zone).next_run(after)


def list_runs(text: str, after: datetime, count: int) -> list[str]:
    """Return the next runs in Berlin, by its clocks."""
    runs: list[str] = []
    for _ in range(count):
        after = next_run(text, after, BERLIN)
        runs.append(after.astimezone(BERLIN).strftime("%d %H:%M%z"))
    return runs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/10 * * * * *", datetime(2026, 1, 5, 12, 0, 10, tzinfo=UTC)),
        ("?/5 * * * * *", datetime(2026, 1, 5, 12, 0, 5, tzinfo=UTC)),
        ("30 15 * * * *", datetime(2026, 1, 5, 12, 15, 30, tzinfo=UTC)),
        ("50/4 0 12 * * *", datetime(2026, 1, 5, 12, 0, 50, tzinfo=UTC)),
        ("0 0 9 * * 1-5", datetime(2026, 1, 6, 9, 0, tzinfo=UTC)),
        ("0 0 9 * * SUN", datetime(2026, 1, 11, 9, 0, tzinfo=UTC)),
        # Either of two days that are given, both where one is a star.
        ("0 0 9 8 * SUN", datetime(2026, 1, 8, 9, 0, tzinfo=UTC)),
        ("0 0 9 8 * ?", datetime(2026, 1, 8, 9, 0, tzinfo=UTC)),
        ("0 0 0 29 feb *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("5 13 * * *", datetime(2026, 1, 5, 13, 5, tzinfo=UTC)),
        ("@hourly", datetime(2026, 1, 5, 13, 0, tzinfo=UTC)),
        ("@weekly", datetime(2026, 1, 11, tzinfo=UTC)),
        ("@yearly", datetime(2027, 1, 1, tzinfo=UTC)),
        ("@every 1h30m0.7s", datetime(2026, 1, 5, 13, 30, tzinfo=UTC)),
        ("@every 5ms", datetime(2026, 1, 5, 12, 0, 1, tzinfo=UTC)),
    ],
)
def test_next_run_is_later_than_the_time_given(text: str, expected: datetime) -> None:
    assert next_run(text) == expected


def test_time_of_day_is_the_zones() -> None:
    assert next_run("0 0 14 * * *", zone=BERLIN) == NOON.replace(hour=13)


def test_every_keeps_whole_seconds() -> None:
    assert next_run("@every 5s", NOON.replace(microsecond=300_000)) == NOON.replace(second=5)


@pytest.mark.parametrize("text", ["0 0 0 30 2 *", "0 0 0 31 2,4 *"])
def test_schedule_that_no_day_matches_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError, match="No day"):
        read_timetable(text, {})


def test_schedule_behind_the_calendar_is_refused() -> None:
    with pytest.raises(ScheduleError, match="calendar"):
        next_run("@every 2500000h", datetime(9999, 1, 1, tzinfo=UTC))


def test_schedule_keeps_its_hour_when_the_clocks_go_forward() -> None:
    eve = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert list_runs("0 0 9 * * *", eve, 2) == ["29 09:00+0200", "30 09:00+0200"]
    # What the gap swallows comes right behind it.
    assert list_runs("0 30 2 * * *", eve, 2) == ["29 03:00+0200", "30 02:30+0200"]
    night = datetime(2026, 3, 29, 0, 15, tzinfo=UTC)
    assert list_runs("0 */30 * * * *", night, 3) == ["29 01:30+0100", "29 03:00+0200", "29 03:30+0200"]


def test_schedule_keeps_its_hour_when_the_clocks_go_back() -> None:
    eve = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert list_runs("0 0 9 * * *", eve, 2) == ["25 09:00+0100", "26 09:00+0100"]
    # 2:30 comes twice; a script that runs every hour or minute goes on through both.
    assert list_runs("0 30 2 * * *", eve, 2) == ["25 02:30+0200", "26 02:30+0100"]
    night = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    through = ["25 02:30+0200", "25 02:00+0100", "25 02:30+0100", "25 03:00+0100"]
    assert list_runs("0 */30 * * * *", night, 4) == through
    assert list_runs("0 */30 0-23 * * *", night, 4) == through


def test_schedule_may_name_its_zone() -> None:
    environ = {"TZ": "Europe/Berlin"}
    assert read_timetable("0 0 5 * * *", environ).zone == BERLIN
    assert read_timetable("TZ=Local 0 0 5 * * *", environ).zone == BERLIN
    assert read_timetable("CRON_TZ=Asia/Tokyo 0 0 5 * * *", environ).zone == ZoneInfo("Asia/Tokyo")
    with pytest.raises(ScheduleError, match="Mars/Olympus"):
        read_timetable("TZ=Mars/Olympus 0 0 5 * * *", environ)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/localtime", "no\x00thing", "Mars", "x" * 5000])
def test_odd_name_is_no_zone(name: str) -> None:
    assert find_zone(name) is None


def test_local_zone_is_found_as_the_c_library_does(tmp_path: Path) -> None:
    absent, rubbish, localtime = tmp_path / "absent", tmp_path / "rubbish", tmp_path / "localtime"
    rubbish.write_bytes(b"no zone")
    localtime.write_bytes(make_zone_file())
    now = datetime(2026, 7, 1, tzinfo=UTC)

    def offset(environ: dict[str, str], path: Path) -> float:
        return (now.astimezone(find_local_zone(environ, path)).utcoffset() or now - now).total_seconds()

    assert find_local_zone({"TZ": "Europe/Berlin"}, absent) == BERLIN
    assert find_local_zone({"TZ": ":Europe/Berlin"}, absent) == BERLIN
    assert offset({"TZ": f":{localtime}"}, absent) == 5400
    assert offset({}, localtime) == 5400
    assert find_local_zone({"TZ": ""}, localtime) is UTC
    assert find_local_zone({}, absent) is UTC
    assert find_local_zone({}, rubbish) is UTC
    assert find_local_zone({"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}, absent).utcoffset(None) is not None


def make_zone_file() -> bytes:
    """A zone of one offset, 1:30 east of UTC, in the format of RFC 8536."""
    counts = b"\0\0\0\0" * 4 + b"\0\0\0\1" + b"\0\0\0\4"
    zone = (5400).to_bytes(4, "big") + b"\0\0" + b"ABC\0"
    header = b"TZif2" + b"\0" * 15
    return header + counts + zone + header + counts + zone + b"\n<+0130>-1:30\n"
