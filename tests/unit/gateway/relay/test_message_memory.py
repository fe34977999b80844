from __future__ import annotations

from typing import Any, cast

import pytest
from hypercorn.protocol.ws_stream import FrameTooLargeError
from wsproto.events import BytesMessage, Message, TextMessage

from genba_gateway.apps.websocket_messages import MAX_MESSAGE_BYTES
from genba_gateway.relay.message_memory import (
    CHARACTER_BYTES,
    MAX_HELD_BYTES,
    MAX_HELD_OF_ONE_BYTES,
    CountedBuffer,
    MessageMemory,
    measure,
    message_memory_of_loop,
)


def test_all_together_hold_so_much_and_no_more() -> None:
    memory = MessageMemory()
    accounts = [memory.open(str(number)) for number in range(MAX_HELD_BYTES // MAX_HELD_OF_ONE_BYTES)]
    assert all(account.take(MAX_HELD_OF_ONE_BYTES) for account in accounts)
    late = memory.open("late")
    assert not late.take(1)
    accounts[0].give(1)
    assert (late.take(1), late.take(1)) == (True, False)


def test_one_agents_websockets_hold_so_much_and_leave_the_rest_to_others() -> None:
    memory = MessageMemory()
    first, second = memory.open("a"), memory.open("a")
    assert first.take(MAX_HELD_OF_ONE_BYTES - 1)
    assert (second.take(2), second.take(1), second.take(1)) == (False, True, False)
    assert memory.open("b").take(MAX_HELD_OF_ONE_BYTES)


def test_the_greatest_text_that_is_taken_has_room() -> None:
    assert MAX_MESSAGE_BYTES * CHARACTER_BYTES <= MAX_HELD_OF_ONE_BYTES


def test_what_is_over_holds_nothing_and_takes_nothing() -> None:
    memory = MessageMemory()
    account = memory.open("a")
    account.take(10)
    account.give(3)
    account.close()
    account.give(10)
    assert not memory.held_by
    assert not account.take(1)


@pytest.mark.parametrize(
    ("part", "size"), [(BytesMessage(data=bytearray(8), message_finished=False), 8), (TextMessage(data="ab"), 8)]
)
def test_a_message_that_there_is_no_room_for_is_dropped_with_all_that_follows(part: Message[Any], size: int) -> None:
    memory = MessageMemory(most_of_one=size)
    account, told = memory.open("a"), list[None]()
    buffer = CountedBuffer(100, account, lambda: told.append(None))
    buffer.extend(part)
    assert (memory.held_by["a"], told, measure(part.data)) == (size, [], size)
    buffer.extend(part)
    account.give(size)
    buffer.extend(part)
    assert (memory.held_by["a"], len(told), buffer.value) == (0, 2, None)
    assert cast("Any", buffer).to_message() == {"type": "websocket.receive", "bytes": None, "text": None}


def test_nothing_is_queued_for_a_websocket_that_is_over() -> None:
    account = MessageMemory().open("a")
    account.close()
    with pytest.raises(FrameTooLargeError):
        CountedBuffer(100, account, lambda: None).extend(BytesMessage(data=bytearray(1)))


async def test_a_loop_has_one_budget() -> None:
    assert message_memory_of_loop() is message_memory_of_loop()
