"""A carrier over real sockets: messages, goodbyes, losses, limits and back-pressure."""

from __future__ import annotations

import asyncio
import random
import socket

import pytest

from genba_wire.aio import websocket_carrier
from genba_wire.aio.carrier import CLOSE_ABNORMAL, CLOSE_NORMAL
from genba_wire.aio.receive_buffer import measure_frame
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.frames import MAX_MESSAGE_BYTES
from genba_wire.websocket_frames import Opcode, encode_close, encode_header
from tests.support.carriers import Hearer, carrier_pair, open_transport, raw_peer, read_raw, send_raw, start_pair


def frame(payload: bytes, *, opcode: int = Opcode.BINARY, masked: bool = False, fin: bool = True) -> bytes:
    return encode_header(opcode, len(payload), masked=masked, fin=fin) + payload


async def test_messages_of_any_size_arrive_whole_and_in_order() -> None:
    chance = random.Random(1)
    sizes = [0, 1, 125, 126, 65_535, 65_536, MAX_MESSAGE_BYTES] + [chance.randint(0, 100_000) for _ in range(60)]
    messages = [chance.randbytes(size) for size in sizes]
    async with carrier_pair() as (client, server):
        at_client, at_server = start_pair(client, server)
        for message in messages:
            half = len(message) // 2
            client.send(message[:half], memoryview(message)[half:])
        server.send_messages([(message,) for message in messages])
        await at_server.until(lambda: len(at_server.messages) == len(messages))
        await at_client.until(lambda: len(at_client.messages) == len(messages))
    assert at_server.messages == messages
    assert at_client.messages == messages


async def test_client_masks_with_key_zero_and_server_does_not_mask() -> None:
    async with raw_peer(is_server=False) as (client, end):
        client.send(b"ab", b"c")
        assert await read_raw(end, 9) == b"\x82\x83\0\0\0\0abc"
    async with raw_peer(is_server=True) as (server, end):
        server.send(b"abc")
        assert await read_raw(end, 5) == b"\x82\x03abc"


async def test_messages_of_one_call_leave_in_one_write() -> None:
    async with raw_peer(is_server=True) as (server, end):
        server.send_messages([(b"a" * 60_000,), (b"b",)])
        loop = asyncio.get_running_loop()
        assert len(await loop.sock_recv(end, 100_000)) == 60_000 + 4 + 1 + 2


async def test_early_messages_come_first_and_after_start() -> None:
    early = frame(b"one") + frame(b"two")[:3]
    async with raw_peer(is_server=False, early=early) as (client, end):
        await send_raw(end, frame(b"two")[3:] + frame(b"three"))
        hearer = Hearer()
        client.start(hearer)
        assert hearer.messages == []
        await hearer.until(lambda: len(hearer.messages) == 3)
        assert hearer.messages == [b"one", b"two", b"three"]


async def test_byte_by_byte_and_fragmented_messages_arrive() -> None:
    async with raw_peer(is_server=False) as (client, end):
        hearer = Hearer()
        client.start(hearer)
        for byte in frame(b"slow"):
            await send_raw(end, bytes([byte]))
        await send_raw(end, frame(b"in ", fin=False) + frame(b"parts", opcode=0))
        await hearer.until(lambda: len(hearer.messages) == 2)
        assert hearer.messages == [b"slow", b"in parts"]


async def test_kept_view_of_a_message_stays_as_it_was() -> None:
    class Keeper(Hearer):
        def __init__(self) -> None:
            super().__init__()
            self.views: list[memoryview | bytes] = []

        def message_received(self, message: memoryview | bytes) -> None:
            self.views.append(message)
            super().message_received(message)

    keeper = Keeper()
    async with carrier_pair() as (client, server):
        client.start(Hearer())
        server.start(keeper)
        for number in range(200):
            client.send(bytes([number]) * 20_000)
        await keeper.until(lambda: len(keeper.messages) == 200)
    assert [bytes(view) for view in keeper.views] == keeper.messages


async def test_another_receiver_takes_over_within_a_message() -> None:
    second = Hearer()

    class First(Hearer):
        def message_received(self, message: memoryview | bytes) -> None:
            super().message_received(message)
            client.start(second)

    first = First()
    async with raw_peer(is_server=False, early=frame(b"one") + frame(b"two")) as (client, _end):
        client.start(first)
        await second.until(lambda: bool(second.messages))
    assert (first.messages, second.messages) == ([b"one"], [b"two"])


async def test_close_tells_the_peer_code_and_reason() -> None:
    async with carrier_pair() as (client, server):
        at_client, at_server = start_pair(client, server)
        client.send(b"last words")
        server.close(4001, "The workspace was stopped.")
        assert await at_client.wait_lost() == "The workspace was stopped."
        assert (client.close_code, client.close_reason) == (4001, "The workspace was stopped.")
        await client.wait_closed()
        await server.wait_closed()
        assert at_server.lost == []
        client.send(b"too late")
        client.close()


async def test_goodbye_is_heard_while_the_peer_sends_bulk() -> None:
    async with carrier_pair() as (client, server):
        at_client, _ = start_pair(client, server)
        for _ in range(50):
            client.send(bytes(200_000))
        server.close(4001, "enough")
        assert await at_client.wait_lost() == "enough"


async def test_peer_that_never_answers_a_goodbye_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_carrier, "CLOSE_WITHIN_S", 0.01)
    async with raw_peer(is_server=True) as (server, end):
        server.start(Hearer())
        server.close()
        assert await read_raw(end, 4) == encode_close(CLOSE_NORMAL, "", masked=False)
        async with asyncio.timeout(30):
            await server.wait_closed()


async def test_abrupt_end_is_told_once_with_a_reason() -> None:
    async with raw_peer(is_server=True) as (server, end):
        hearer = Hearer()
        server.start(hearer)
        await send_raw(end, frame(b"half", masked=True)[:5])
        end.close()
        assert await hearer.wait_lost() == "The peer closed the connection."
        await server.wait_closed()
        assert (server.close_code, hearer.messages, len(hearer.lost)) == (CLOSE_ABNORMAL, [], 1)


async def test_carrier_that_broke_before_its_start_says_so() -> None:
    ended: list[Exception | None] = []
    near, far = socket.socketpair()
    transport = await open_transport(near)
    transport.abort()
    carrier = WebSocketCarrier(transport, is_server=True, on_connection_lost=ended.append)
    hearer = Hearer()
    carrier.start(hearer)
    carrier.send(b"too late")
    assert await hearer.wait_lost()
    await carrier.wait_closed()
    far.close()
    assert ended == [None]


async def test_receiver_that_comes_after_the_loss_hears_of_it() -> None:
    async with raw_peer(is_server=True) as (server, end):
        first, second = Hearer(), Hearer()
        server.start(first)
        end.close()
        reason = await first.wait_lost()
        server.start(second)
        assert second.lost == []
        assert await second.wait_lost() == reason


async def test_ping_is_answered_with_its_data() -> None:
    async with raw_peer(is_server=False) as (client, end):
        client.start(Hearer())
        await send_raw(end, frame(b"are you there", opcode=Opcode.PING))
        expected = b"\x8a\x8d\0\0\0\0are you there"
        assert await read_raw(end, len(expected)) == expected


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frame(b"text", opcode=Opcode.TEXT), 1003),
        (frame(b"masked by a server", masked=True), 1002),
        (encode_header(Opcode.BINARY, MAX_MESSAGE_BYTES + 1, masked=False), 1009),
        (b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 1009),
    ],
)
async def test_broken_rule_closes_with_its_code(wrong: bytes, code: int) -> None:
    async with raw_peer(is_server=False) as (client, end):
        hearer = Hearer()
        client.start(hearer)
        await send_raw(end, wrong)
        assert "protocol" in await hearer.wait_lost()
        answer = await read_raw(end, 8)
        assert (answer[0], int.from_bytes(answer[6:8], "big")) == (0x88, code)


async def test_slow_reader_pauses_the_sender_and_bounds_its_memory() -> None:
    async with carrier_pair() as (client, server):
        at_client, at_server = start_pair(client, server)
        server.pause_reading()
        message = bytes(100_000)
        sent = 0
        while not client.is_sending_paused:
            client.send(message)
            sent += 1
            assert sent < 200, "a sender without bound"
            await asyncio.sleep(0)
        assert at_client.pauses == 1
        server.resume_reading()
        await at_client.until(lambda: at_client.resumes == 1)
        await at_server.until(lambda: len(at_server.messages) == sent)
        assert not client.is_sending_paused


def test_frame_is_measured_from_its_first_bytes() -> None:
    for size in (0, 125, 126, 65_535, 65_536, MAX_MESSAGE_BYTES):
        for masked in (False, True):
            header = encode_header(Opcode.BINARY, size, masked=masked)
            at = 3
            memory = bytearray(at) + header
            total = len(header) + size
            known_from = 2 if size < 126 else 4 if size < 65_536 else 10
            for there in range(len(header) + 1):
                assert measure_frame(memory, at, at + there) == (total if there >= known_from else 0)
