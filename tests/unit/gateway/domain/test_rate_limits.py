"""Counting requests in windows of a minute."""

from __future__ import annotations

from genba_gateway.domain.rate_limits import RequestCounter


def test_the_limit_and_one_past_it() -> None:
    counter = RequestCounter()
    seen = [counter.count(("a",), 3, 60.0) for _ in range(5)]
    assert [each.remaining for each in seen] == [2, 1, 0, 0, 0]
    assert [each.is_over for each in seen] == [False, False, False, True, True]
    assert {each.resets_at_s for each in seen} == {120}


def test_keys_are_counted_apart() -> None:
    counter = RequestCounter()
    assert counter.count(("a", "x"), 1, 0.0).is_over is False
    assert counter.count(("a", "y"), 1, 0.0).is_over is False
    assert counter.count(("a", "x"), 1, 59.9).is_over is True


def test_a_window_ends_with_the_minute_and_takes_its_counts_along() -> None:
    counter = RequestCounter()
    counter.count(("a",), 1, 59.0)
    assert counter.count(("a",), 1, 59.999).is_over is True
    assert counter.count(("a",), 1, 60.0).is_over is False
