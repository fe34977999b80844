from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.store.pubsub import PubSub

CEILING_S = 30.0


async def test_a_change_before_the_look_is_not_missed() -> None:
    pubsub = PubSub()
    with pubsub.subscribe("a", "b") as subscription:
        pubsub.publish("b")
        assert await subscription.changed(CEILING_S)
        assert not await subscription.changed(0)


async def test_several_changes_are_one() -> None:
    pubsub = PubSub()
    with pubsub.subscribe("a", "b") as subscription:
        pubsub.publish("a", "b", "a")
        assert await subscription.changed(0)
        assert not await subscription.changed(0)


async def test_channels_do_not_mix_and_all_subscribers_are_told() -> None:
    pubsub = PubSub()
    with pubsub.subscribe("a") as first, pubsub.subscribe("a") as second, pubsub.subscribe("b") as other:
        pubsub.publish("a")
        assert await first.changed(0)
        assert await second.changed(0)
        assert not await other.changed(0)


async def test_a_subscription_that_ended_is_not_told_and_nothing_of_it_stays() -> None:
    pubsub = PubSub()
    with pytest.raises(ZeroDivisionError), pubsub.subscribe("a", "a", "b") as subscription:
        raise ZeroDivisionError
    pubsub.publish("a", "b")
    assert not await subscription.changed(0)
    assert vars(pubsub) == {"_subscriptions": {}}


@given(st.lists(st.sampled_from(["publish", "look", "pause", "hurry"]), max_size=40))
def test_no_change_is_lost_whatever_the_order(steps: list[str]) -> None:
    """A reader that looks after each wake-up, as all do, has seen the last value once it waits in vain."""

    async def play() -> None:
        pubsub, value, seen = PubSub(), 0, 0
        with pubsub.subscribe("a") as subscription:

            async def read() -> None:
                nonlocal seen
                while True:
                    await subscription.changed()
                    before = value
                    await asyncio.sleep(0)  # reading takes time, in which the next change may come
                    seen = before

            async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(read())
                for step in steps:
                    match step:
                        case "publish":
                            value += 1
                            pubsub.publish("a")
                        case "look":
                            if await subscription.changed(0):
                                pubsub.publish("a")  # what this look took belongs to the reader
                        case "pause":
                            await asyncio.sleep(0)
                        case _:
                            await asyncio.sleep(0)
                            await asyncio.sleep(0)
                for _ in range(10):
                    await asyncio.sleep(0)
                reader.cancel()
        assert seen == value

    asyncio.run(play())
