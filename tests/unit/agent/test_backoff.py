from __future__ import annotations

import pytest

from genba_agent.backoff import EARLY_CAP_S, LATE_CAP_S, RESTART_CAP_S, Backoff
from tests.support.agent_clock import FakeClock


def test_second_attempt_is_immediate_and_waits_double_up_to_what_a_restart_is_worth() -> None:
    backoff = Backoff(FakeClock().monotonic, jitter=lambda: 1.0)
    waits = [backoff.next_wait_s() for _ in range(6)]
    assert waits == pytest.approx([0, 0.1, 0.2, RESTART_CAP_S, RESTART_CAP_S, RESTART_CAP_S])


def test_waits_grow_to_a_second_when_it_is_no_restart() -> None:
    clock = FakeClock()
    backoff = Backoff(clock.monotonic, jitter=lambda: 1.0)
    for _ in range(20):
        backoff.next_wait_s()
    clock.advance(9.9)
    assert backoff.next_wait_s() == RESTART_CAP_S
    clock.advance(0.1)
    assert backoff.next_wait_s() == EARLY_CAP_S


def test_waits_grow_to_ten_seconds_after_the_first_minute() -> None:
    clock = FakeClock()
    backoff = Backoff(clock.monotonic, jitter=lambda: 1.0)
    for _ in range(20):
        backoff.next_wait_s()
    clock.advance(59.9)
    assert backoff.next_wait_s() == EARLY_CAP_S
    clock.advance(0.1)
    assert backoff.next_wait_s() == LATE_CAP_S


def test_jitter_takes_at_most_half_of_a_wait() -> None:
    backoff = Backoff(FakeClock().monotonic, jitter=lambda: 0.0)
    assert [backoff.next_wait_s() for _ in range(3)] == pytest.approx([0, 0.05, 0.1])


def test_reset_begins_a_fresh_outage() -> None:
    clock = FakeClock()
    backoff = Backoff(clock.monotonic)
    backoff.next_wait_s()
    clock.advance(5)
    assert backoff.outage_s == 5
    backoff.reset()
    assert backoff.outage_s == 0
    assert backoff.next_wait_s() == 0


def test_outage_of_a_weekend_does_not_overflow() -> None:
    clock = FakeClock()
    backoff = Backoff(clock.monotonic, jitter=lambda: 1.0)
    for _ in range(5000):
        backoff.next_wait_s()
    clock.advance(200_000)
    assert backoff.next_wait_s() == LATE_CAP_S
