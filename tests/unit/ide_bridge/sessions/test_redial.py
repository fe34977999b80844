"""Delays between attempts."""

from __future__ import annotations

from genba_ide_bridge.sessions.redial import RedialDelays


class FakeTime:
    """Sleeping moves the clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


async def test_the_first_attempt_is_made_at_once_and_none_waits_a_second_in_the_first_minute() -> None:
    time = FakeTime()
    delays = RedialDelays(time.sleep, time.clock)
    while time.now < 160:
        await delays.wait()
    assert time.slept[0] == 0
    assert 0 < time.slept[1] < 0.1
    assert max(time.slept) <= 1.0
    assert len(time.slept) < 100


async def test_a_restart_is_asked_about_often() -> None:
    time = FakeTime()
    delays = RedialDelays(time.sleep, time.clock)
    while time.now < 110:
        await delays.wait()
    assert max(time.slept) <= 0.3


async def test_a_change_for_the_better_begins_the_delays_anew() -> None:
    time = FakeTime()
    delays = RedialDelays(time.sleep, time.clock)
    while time.now < 300:
        await delays.wait()
    delays.hurry()
    await delays.wait()
    assert 0 < time.slept[-1] <= 0.05
    # It is the same outage all the same.
    assert delays.waited_s >= 200


async def test_a_long_outage_is_asked_about_every_few_seconds() -> None:
    time = FakeTime()
    delays = RedialDelays(time.sleep, time.clock)
    while time.now < 300:
        await delays.wait()
    late = time.slept[-10:]
    assert all(4.0 <= one <= 5.0 for one in late)
    assert delays.waited_s >= 200


async def test_after_a_success_the_next_outage_begins_anew() -> None:
    time = FakeTime()
    delays = RedialDelays(time.sleep, time.clock)
    for _ in range(10):
        await delays.wait()
    delays.reset()
    assert delays.waited_s == 0
    await delays.wait()
    assert time.slept[-1] == 0
