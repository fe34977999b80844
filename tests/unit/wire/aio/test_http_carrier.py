"""A client's carrier over HTTP requests, against a server that the test plays."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from genba_wire.aio import http_carrier
from genba_wire.aio.carrier import CLOSE_ABNORMAL
from genba_wire.aio.http_carrier import HIGH_BYTES, LOW_BYTES, RETRY_FOR_S, HttpCarrier
from genba_wire.aio.http_dialling import open_http_carrier
from genba_wire.aio.transport import refusal_of
from genba_wire.api.http_carriers import (
    CARRIER_HEADER,
    DOWN_SUFFIX,
    MAX_UP_BYTES,
    NOT_YET,
    NUMBER_HEADER,
    OPEN_SUFFIX,
    TAKEN,
    UP_SUFFIX,
)
from genba_wire.errors import GatewayRefused, HttpWayClosed
from genba_wire.http_frames import KEEP_ALIVE, CarrierEnd, CarrierMessage, HttpFrameReader, encode_end, encode_length
from tests.support.carriers import CEILING_S, Hearer


class Down(httpx.AsyncByteStream):
    """The body of the answer: what the test says, until it says None."""

    def __init__(self) -> None:
        self.chunks: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self.chunks.get()) is not None:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def aclose(self) -> None:
        self.is_closed = True


@dataclass
class PlayedGateway:
    """Answers as it is told to, and keeps what came up."""

    down: Down = field(default_factory=Down)
    opening: httpx.Response = field(default_factory=lambda: httpx.Response(201, json={"carrier": "s3cret"}))
    down_status: int = 200
    answers: deque[int | Exception] = field(default_factory=deque[int | Exception])
    """How the next pieces end; none: they are taken."""
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a piece is under way."""
    pieces: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    events: list[object] = field(default_factory=list[object])
    reader: HttpFrameReader = field(default_factory=HttpFrameReader)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    waits: list[float] = field(default_factory=list[float])
    now: float = 0.0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/c" + OPEN_SUFFIX:
            assert request.headers["Genba-Ticket"] == "tick"
            return self.opening
        assert request.headers[CARRIER_HEADER] == "s3cret"
        if request.url.path == "/c" + DOWN_SUFFIX:
            assert request.headers["Accept-Encoding"] == "identity"
            return httpx.Response(self.down_status, stream=self.down)
        assert request.url.path == "/c" + UP_SUFFIX
        self.is_asked.set()
        await self.may_answer.wait()
        return await self._take(request.headers[NUMBER_HEADER], await request.aread())

    async def _take(self, number: str, piece: bytes) -> httpx.Response:
        answer = self.answers.popleft() if self.answers else TAKEN
        async with self.came:
            self.pieces.append((number, piece))
            if answer == TAKEN:
                self.events += self.reader.feed(piece)
            self.came.notify_all()
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    async def until_came(self, count: int) -> None:
        async with asyncio.timeout(CEILING_S), self.came:
            await self.came.wait_for(lambda: len(self.pieces) >= count)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def piece(*messages: bytes) -> bytes:
    return b"".join(encode_length(len(message)) + message for message in messages)


def refuse(response: httpx.Response) -> GatewayRefused:
    return refusal_of(response.status_code, response.content)


async def open_carrier(gateway: PlayedGateway, client: httpx.AsyncClient, first_frame_s: float = 5) -> HttpCarrier:
    carrier = await open_http_carrier(
        client, "/c", params=None, headers={"Genba-Ticket": "tick"}, refuse=refuse, first_frame_s=first_frame_s
    )
    carrier._up.sleep, carrier._up.clock = gateway.sleep, lambda: gateway.now  # pyright: ignore[reportPrivateUsage]
    return carrier


def client_of(gateway: PlayedGateway) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url="http://gateway.test", transport=httpx.MockTransport(gateway.handle))


@asynccontextmanager
async def opened() -> AsyncGenerator[tuple[PlayedGateway, HttpCarrier, Hearer]]:
    gateway, hearer = PlayedGateway(), Hearer()
    gateway.may_answer.set()
    gateway.down.chunks.put_nowait(KEEP_ALIVE)
    async with client_of(gateway) as client, asyncio.timeout(CEILING_S):
        carrier = await open_carrier(gateway, client)
        carrier.start(hearer)
        try:
            yield gateway, carrier, hearer
        finally:
            carrier.abort()
            await carrier.wait_closed()
    assert gateway.down.is_closed


async def test_messages_go_both_ways() -> None:
    async with opened() as (gateway, carrier, hearer):
        carrier.send(b"a", b"b")
        await gateway.until_came(1)
        assert gateway.pieces == [("0", piece(b"ab"))]
        gateway.down.chunks.put_nowait(piece(b"one", b"two")[:6])
        gateway.down.chunks.put_nowait(piece(b"one", b"two")[6:])
        await hearer.until(lambda: hearer.messages == [b"one", b"two"])


async def test_what_gathers_meanwhile_goes_into_one_piece_and_none_is_larger_than_its_limit() -> None:
    async with opened() as (gateway, carrier, _):
        gateway.may_answer.clear()
        carrier.send(b"first")
        await gateway.is_asked.wait()
        messages = [bytes([number]) * 100_000 for number in range(1, 6)]
        carrier.send_messages([[message] for message in messages])
        gateway.may_answer.set()
        await gateway.until_came(3)
        sizes = [len(each) for _, each in gateway.pieces]
        assert [number for number, _ in gateway.pieces] == ["0", "1", "2"]
        assert sizes[1:] == [MAX_UP_BYTES, 5 * 100_004 - MAX_UP_BYTES]
        assert gateway.events == [CarrierMessage(each) for each in (b"first", *messages)]


async def test_sender_is_paused_above_the_limit_and_resumed_below_the_other() -> None:
    async with opened() as (gateway, carrier, hearer):
        gateway.may_answer.clear()
        for _ in range(2):
            carrier.send(bytes(HIGH_BYTES // 2 - 4))
        assert not carrier.is_sending_paused
        carrier.send(b"x")
        assert (carrier.is_sending_paused, hearer.pauses) == (True, 1)
        gateway.may_answer.set()
        await hearer.until(lambda: hearer.resumes == 1)
        assert not carrier.is_sending_paused
        assert LOW_BYTES < HIGH_BYTES


async def test_nothing_is_delivered_before_the_start_nor_while_reading_is_paused() -> None:
    gateway, hearer = PlayedGateway(), Hearer()
    gateway.down.chunks.put_nowait(KEEP_ALIVE + piece(b"early"))
    async with client_of(gateway) as client, asyncio.timeout(CEILING_S):
        carrier = await open_carrier(gateway, client)
        for _ in range(5):
            await asyncio.sleep(0)
        carrier.start(hearer)
        assert hearer.messages == []
        await hearer.until(lambda: hearer.messages == [b"early"])
        carrier.pause_reading()
        for each in (b"one", b"two", b"three"):
            gateway.down.chunks.put_nowait(piece(each))
        for _ in range(20):
            await asyncio.sleep(0)
        # One was being read already.
        assert gateway.down.chunks.qsize() >= 2
        carrier.resume_reading()
        await hearer.until(lambda: hearer.messages == [b"early", b"one", b"two", b"three"])
        carrier.abort()
        await carrier.wait_closed()


@pytest.mark.parametrize("failure", [502, 503, 504, 429, httpx.ReadError("cut"), httpx.ReadTimeout("late")])
async def test_piece_that_failed_is_sent_again_under_its_number(failure: int | Exception) -> None:
    async with opened() as (gateway, carrier, hearer):
        gateway.answers.extend([failure, failure])
        carrier.send(b"once")
        await gateway.until_came(3)
        carrier.send(b"then")
        await gateway.until_came(4)
        assert [number for number, _ in gateway.pieces] == ["0", "0", "0", "1"]
        assert gateway.waits == [0.05, 0.1]
        assert gateway.events == [CarrierMessage(b"once"), CarrierMessage(b"then")]
        assert hearer.lost == []


async def test_piece_that_is_not_read_yet_is_sent_again_for_as_long_as_it_takes() -> None:
    async with opened() as (gateway, carrier, hearer):
        gateway.answers.extend([NOT_YET] * 30)
        carrier.send(b"once")
        await gateway.until_came(31)
        assert (set(gateway.waits), gateway.events, hearer.lost) == ({0.05}, [CarrierMessage(b"once")], [])


async def test_carrier_is_lost_when_a_piece_does_not_arrive_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_carrier, "CLOSE_WITHIN_S", 0)
    async with opened() as (gateway, carrier, hearer):
        gateway.answers.extend([502] * 1000)
        carrier.send(b"never")
        assert await hearer.wait_lost() == "What was sent did not arrive: status 502"
        assert RETRY_FOR_S - 1 <= gateway.now <= RETRY_FOR_S
        assert carrier.close_code == CLOSE_ABNORMAL


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413])
async def test_carrier_is_lost_when_a_piece_is_refused(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_carrier, "CLOSE_WITHIN_S", 0)
    async with opened() as (gateway, carrier, hearer):
        gateway.answers.append(status)
        carrier.send(b"never")
        assert await hearer.wait_lost() == f"The gateway did not take what was sent (status {status})."


@pytest.mark.parametrize("is_paused", [False, True])
async def test_goodbye_that_comes_behind_the_refusal_of_a_piece_is_heard(is_paused: bool) -> None:
    async with opened() as (gateway, carrier, hearer):
        if is_paused:
            carrier.pause_reading()
        gateway.answers.append(404)
        carrier.send(b"too late")
        await gateway.until_came(1)
        for _ in range(20):
            await asyncio.sleep(0)
        assert hearer.lost == []
        gateway.down.chunks.put_nowait(piece(b"last") + piece(b"words"))
        gateway.down.chunks.put_nowait(piece(b"!") + encode_end(1011, "dial: the agent is away"))
        assert await hearer.wait_lost() == "dial: the agent is away"
        assert (hearer.messages, carrier.close_code) == ([b"last", b"words", b"!"], 1011)


async def test_own_close_waits_for_no_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_carrier, "CLOSE_WITHIN_S", 10 * CEILING_S)
    async with opened() as (gateway, carrier, _):
        gateway.answers.append(404)
        carrier.close(1000, "done")
        await carrier.wait_closed()
        assert carrier.close_code == CLOSE_ABNORMAL


@pytest.mark.parametrize(
    ("last", "reason", "code"),
    [
        (None, "The connection was closed.", CLOSE_ABNORMAL),
        (httpx.ReadError("reset"), "The connection broke: reset", CLOSE_ABNORMAL),
        (encode_end(4001, "You signed out."), "You signed out.", 4001),
        (encode_end(1012, ""), "The peer closed the connection with code 1012.", 1012),
        (b"\x7f\xff\xff\xff", "The peer broke the protocol", CLOSE_ABNORMAL),
    ],
)
async def test_carrier_is_lost_with_its_answer(last: bytes | Exception | None, reason: str, code: int) -> None:
    async with opened() as (gateway, carrier, hearer):
        gateway.down.chunks.put_nowait(piece(b"one"))
        gateway.down.chunks.put_nowait(last)
        assert (await hearer.wait_lost()).startswith(reason)
        assert (hearer.messages, carrier.close_code) == ([b"one"], code)
        await carrier.wait_closed()
        again = Hearer()
        carrier.start(again)
        carrier.send(b"too late")
        assert (await again.wait_lost()).startswith(reason)


async def test_goodbye_goes_up_behind_what_waits() -> None:
    async with opened() as (gateway, carrier, hearer):
        carrier.send(b"last")
        carrier.close(1000, "done")
        carrier.send(b"too late")
        await carrier.wait_closed()
        assert gateway.events == [CarrierMessage(b"last"), CarrierEnd(1000, "done")]
        assert hearer.lost == []


async def test_refusals_and_answers_of_others_are_told() -> None:
    for gateway, error, words in (
        (PlayedGateway(opening=httpx.Response(409, json={"message": "stopped"})), GatewayRefused, "stopped"),
        (PlayedGateway(opening=httpx.Response(201, text="<html>")), HttpWayClosed, "answered by no gateway"),
        (PlayedGateway(down_status=403), GatewayRefused, "status 403"),
    ):
        gateway.down.chunks.put_nowait(None)
        async with client_of(gateway) as client:
            with pytest.raises(error, match=words):
                await open_carrier(gateway, client)


@pytest.mark.parametrize("first", [None, b"<html><body>who are you?"])
async def test_answer_that_is_no_gateways_is_told(first: bytes | None) -> None:
    gateway = PlayedGateway()
    gateway.down.chunks.put_nowait(first)
    async with client_of(gateway) as client:
        with pytest.raises(HttpWayClosed, match="is no gateway's"):
            await open_carrier(gateway, client)
    assert gateway.down.is_closed


async def test_answer_that_is_held_back_is_named() -> None:
    gateway = PlayedGateway()
    async with client_of(gateway) as client:
        with pytest.raises(HttpWayClosed, match="held back until they are whole"):
            await open_carrier(gateway, client, first_frame_s=0)
    assert gateway.down.is_closed


async def test_carrier_ends_when_the_way_to_the_gateway_is_closed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_carrier, "CLOSE_WITHIN_S", 0)
    async with opened() as (_, carrier, hearer):
        await carrier._up.client.aclose()  # pyright: ignore[reportPrivateUsage]
        carrier.send(b"never")
        assert await hearer.wait_lost() == "The way to the gateway was closed here."
