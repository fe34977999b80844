"""An end over HTTP requests, fed as the routes feed it."""

from __future__ import annotations

import asyncio

import pytest

from genba_gateway.errors import BadRequest, Conflict, NotFound, TooManyRequests
from genba_gateway.relay.ends import wait_until_left
from genba_gateway.relay.http_end import HIGH_BYTES, LOW_BYTES, MAX_WAITING, HttpEnd
from genba_gateway.relay.splice import join
from genba_wire.api.http_carriers import MAX_UP_BYTES
from genba_wire.http_frames import (
    KEEP_ALIVE,
    CarrierEnd,
    CarrierMessage,
    HttpFrameReader,
    encode_end,
    encode_length,
)
from tests.support.carriers import CEILING_S, Hearer


def piece(*messages: bytes) -> bytes:
    return b"".join(encode_length(len(message)) + message for message in messages)


async def begun(**options: float) -> tuple[HttpEnd, Hearer]:
    """An end that was started, and whose first chunk was written."""
    end, hearer = HttpEnd(**options), Hearer()
    assert await end.next_chunk() == KEEP_ALIVE
    end.start(hearer)
    return end, hearer


async def test_first_frame_goes_down_at_once_and_others_keep_the_way_open() -> None:
    end = HttpEnd(keep_alive_s=0)
    assert [await end.next_chunk() for _ in range(3)] == [KEEP_ALIVE] * 3
    end.send(b"a", b"b")
    assert await end.next_chunk() == piece(b"ab")
    assert end.kept_bytes == 6
    assert (await end.next_chunk(), end.kept_bytes) == (KEEP_ALIVE, 0)


async def test_pieces_are_taken_in_order_and_each_once() -> None:
    end, hearer = await begun()
    assert await end.take(0, piece(b"one", b"two")[:5])
    assert await end.take(1, piece(b"one", b"two")[5:])
    assert await end.take(1, piece(b"one", b"two")[5:])
    assert await end.take(0, b"anything")
    assert hearer.messages == [b"one", b"two"]
    with pytest.raises(Conflict, match="Piece 3 came, but piece 2 did not"):
        await end.take(3, piece(b"four"))
    assert await end.take(2, piece(b"three"))
    assert hearer.messages == [b"one", b"two", b"three"]


async def test_piece_that_is_not_read_is_to_be_sent_again() -> None:
    end, hearer = await begun(take_within_s=0)
    end.pause_reading()
    assert not await end.take(0, piece(b"one"))
    end.resume_reading()
    assert await end.take(0, piece(b"one"))
    assert hearer.messages == [b"one"]


async def test_pieces_wait_for_the_start_and_for_the_reader_and_no_more_than_two() -> None:
    end, hearer = HttpEnd(), Hearer()
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(end.take(0, piece(b"one"))) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests, match="wait already"):
            await end.take(0, piece(b"one"))
        end.start(hearer)
        async with asyncio.timeout(CEILING_S):
            assert [await each for each in waiting] == [True, True]
    assert hearer.messages == [b"one"]


async def test_piece_whose_request_broke_off_while_it_waited_may_come_again() -> None:
    end, hearer = HttpEnd(), Hearer()
    async with asyncio.TaskGroup() as tasks:
        broken = tasks.create_task(end.take(0, piece(b"one")))
        await asyncio.sleep(0)
        broken.cancel()
    end.start(hearer)
    assert await end.take(0, piece(b"one"))
    assert hearer.messages == [b"one"]


async def test_sender_is_paused_above_the_limit_and_resumed_when_it_was_written() -> None:
    end, hearer = await begun()
    first = end.kept_bytes
    end.send(bytes(HIGH_BYTES - first - 4))
    assert (end.is_sending_paused, end.kept_bytes) == (False, HIGH_BYTES)
    await end.next_chunk()
    # It counts until it was written, which is when more is asked for.
    assert end.kept_bytes == HIGH_BYTES - first
    end.send(bytes(first))
    assert (end.is_sending_paused, hearer.pauses, hearer.resumes) == (True, 1, 0)
    await end.next_chunk()
    assert (end.is_sending_paused, hearer.resumes, end.kept_bytes <= LOW_BYTES) == (False, 1, True)


async def test_gateways_goodbye_goes_down_behind_what_waits_and_then_nothing() -> None:
    end, hearer = await begun()
    end.send(b"last")
    end.close(4001, "You signed out.")
    end.send(b"too late")
    events = HttpFrameReader().feed(await end.next_chunk() or b"")
    assert events == [CarrierMessage(b"last"), CarrierEnd(4001, "You signed out.")]
    assert await end.next_chunk() is None
    assert hearer.lost == []
    with pytest.raises(NotFound, match="over: You signed out"):
        await end.take(0, piece(b"one"))


async def test_peers_goodbye_ends_the_carrier_and_its_answer() -> None:
    end, hearer = await begun()
    assert await end.take(0, piece(b"bye") + encode_end(1000, "done"))
    assert (hearer.messages, hearer.lost) == ([b"bye"], ["done"])
    assert await end.next_chunk() is None


async def test_peer_that_breaks_the_protocol_is_told_and_sent_away() -> None:
    end, hearer = await begun()
    with pytest.raises(BadRequest, match="can't be read"):
        await end.take(0, b"\x7f\xff\xff\xff")
    assert "broke the protocol" in hearer.lost[0]
    (event,) = HttpFrameReader().feed(await end.next_chunk() or b"")
    assert isinstance(event, CarrierEnd)
    assert event.code == 1009


async def test_peer_that_leaves_before_its_session_is_noticed_and_heard_of_at_the_start() -> None:
    end, hearer = HttpEnd(), Hearer()

    async def send_piece() -> None:
        with pytest.raises(NotFound, match="over: gone"):
            await end.take(0, piece(b"one"))

    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(wait_until_left(end))
        tasks.create_task(send_piece())
        await asyncio.sleep(0)
        end.lose("gone")
    end.start(hearer)
    assert await hearer.wait_lost() == "gone"


async def test_two_ends_are_joined_and_hold_each_other_back() -> None:
    client, agent = HttpEnd(take_within_s=0), HttpEnd(keep_alive_s=0)
    async with asyncio.TaskGroup() as tasks:
        joined = tasks.create_task(join(client, agent))
        await asyncio.sleep(0)
        await agent.next_chunk()
        number = 0
        while await client.take(number, piece(bytes(MAX_UP_BYTES - 4))):
            number += 1
        # The agent does not read: what waits for it is bounded.
        assert agent.kept_bytes <= HIGH_BYTES + MAX_UP_BYTES
        while agent.is_sending_paused:
            await agent.next_chunk()
        assert await client.take(number, piece(b"x"))
        agent.lose("its network is gone")
        async with asyncio.timeout(CEILING_S):
            assert "agent's connection has ended: its network is gone" in (await joined).reason
    while (chunk := await client.next_chunk()) is not None:
        assert chunk
