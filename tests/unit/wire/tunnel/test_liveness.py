"""When to ping, and when a carrier is dead."""

from __future__ import annotations

from genba_wire.tunnel.frames import DEAD_AFTER_S, PING_AFTER_S
from genba_wire.tunnel.liveness import Liveness


def test_quiet_carrier_is_pinged_and_dies() -> None:
    live = Liveness(100.0)
    assert live.ping_at == 100 + PING_AFTER_S
    assert live.dead_at == 100 + DEAD_AFTER_S


def test_an_end_that_only_hears_pings_too() -> None:
    live = Liveness(0.0)
    live.heard(14.0)
    assert live.ping_at == PING_AFTER_S
    assert live.dead_at == 14 + DEAD_AFTER_S


def test_an_end_that_only_talks_pings_too() -> None:
    live = Liveness(0.0)
    live.said(14.0)
    assert live.ping_at == PING_AFTER_S


def test_traffic_both_ways_puts_the_ping_off() -> None:
    live = Liveness(0.0)
    live.heard(14.0)
    live.said(13.0)
    assert live.ping_at == 13 + PING_AFTER_S


def test_ping_without_an_answer_is_not_repeated_at_once_and_tokens_differ() -> None:
    live = Liveness(0.0)
    first = live.next_token(PING_AFTER_S)
    assert live.ping_at == 2 * PING_AFTER_S
    assert live.dead_at == DEAD_AFTER_S
    assert live.next_token(20.0) != first
