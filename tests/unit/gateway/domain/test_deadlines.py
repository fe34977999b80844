from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from genba_gateway.domain.deadlines import (
    MAX_TTL_MS,
    MIN_TTL_MS,
    FailedAutostop,
    RunningDeadline,
    bump_deadline,
    explain_bad_extension,
    explain_bad_ttl,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOUR_MS = 3_600_000


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("ttl_ms", "is_well"),
    [(0, True), (MIN_TTL_MS, True), (MAX_TTL_MS, True), (MIN_TTL_MS - 1, False), (MAX_TTL_MS + 1, False), (-5, False)],
)
def test_a_ttl_is_none_or_within_its_limits(ttl_ms: int, is_well: bool) -> None:
    assert (explain_bad_ttl(ttl_ms) is None) is is_well


@pytest.mark.parametrize(
    ("left", "bump_ms", "max_left", "bumped"),
    [
        (10, HOUR_MS, None, 60),
        (-1, HOUR_MS, None, 60),
        (57, HOUR_MS, None, None),
        (56.9, HOUR_MS, None, 60),
        (90, HOUR_MS, None, None),
        (10, 0, None, None),
        (10, HOUR_MS, 40, 40),
        (40, HOUR_MS, 40, None),
    ],
)
def test_activity_puts_a_deadline_off(left: float, bump_ms: int, max_left: float | None, bumped: float | None) -> None:
    limit = None if max_left is None else NOW + minutes(max_left)
    running = RunningDeadline("b", NOW + minutes(left), limit, bump_ms)
    assert bump_deadline(running, NOW) == (None if bumped is None else NOW + minutes(bumped))


@pytest.mark.parametrize(("left", "is_well"), [(30, True), (29.9, False), (120, True), (121, False)])
def test_an_extension_is_neither_too_near_nor_beyond_the_limit(left: float, is_well: bool) -> None:
    assert (explain_bad_extension(NOW + minutes(left), NOW + minutes(120), NOW) is None) is is_well
    assert explain_bad_extension(NOW + timedelta(days=900), None, NOW) is None


@pytest.mark.parametrize(("failures", "wait_min"), [(1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60), (1000, 60)])
def test_a_failed_stop_is_tried_again_later_each_time(failures: int, wait_min: int) -> None:
    assert FailedAutostop("w", failures, NOW).retry_at == NOW + minutes(wait_min)
