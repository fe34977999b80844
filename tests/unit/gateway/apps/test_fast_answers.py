"""Answers of the fast path as bytes, against a transport that keeps them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import h11
import pytest
from hypercorn.config import Config

from genba_gateway.apps.bodies import ClientLeft
from genba_gateway.apps.fast_answers import BadMessages, FastAnswer


class Kept:
    """What an answer calls of a transport."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.is_aborted = True

    def get_extra_info(self, _name: str) -> None:
        """It is on no socket."""

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_aborted


def make(method: str = "GET", *, keep_alive: bool = True) -> tuple[FastAnswer, Kept]:
    kept, config = Kept(), Config()
    config.include_server_header = False
    return FastAnswer(cast(asyncio.Transport, kept), config, method, keep_alive=keep_alive), kept


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes = b"", *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def read(data: bytes, method: str = "GET") -> tuple[h11.Response, bytes, h11.Connection]:
    """What h11 makes of the bytes: head, body, and the parser after them."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(data)
    head = parser.next_event()
    assert isinstance(head, h11.Response)
    found = b""
    while isinstance(event := parser.next_event(), h11.Data):
        found += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage), event
    return head, found, parser


@pytest.mark.parametrize("has_length", [True, False])
async def test_parts_that_came_together_leave_in_one_write(has_length: bool) -> None:
    answer, kept = make()
    answer.is_corked = True
    headers = [(b"content-length", b"6")] if has_length else []
    await send(answer, start(200, *headers))
    await answer.send_parts([memoryview(b"ab"), b"", b"c"])
    assert len(kept.written) == 1
    await answer.send_parts([b"d", b"e"])
    await send(answer, body(b"f"))
    assert read(b"".join(kept.written))[1] == b"abcdef"


async def test_parts_wait_for_room_and_end_with_the_client() -> None:
    answer, kept = make()
    await send(answer, start(200))
    answer.pause()
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(answer.send_parts([b"a", b"b"]))
        await asyncio.sleep(0)
        assert not sending.done()
        answer.resume()
    answer.leave()
    written = len(kept.written)
    with pytest.raises(ClientLeft):
        await answer.send_parts([b"c", b"d"])
    assert len(kept.written) == written


async def send(answer: FastAnswer, *messages: dict[str, Any]) -> None:
    for message in messages:
        await answer.send(message)


@pytest.mark.parametrize("has_length", [True, False])
async def test_a_body_has_its_length_or_chunks(has_length: bool) -> None:
    answer, kept = make()
    headers = [(b"content-length", b"5")] if has_length else []
    await send(answer, start(200, *headers), body(b"ab", more=True), body(b"", more=True), body(b"cde"))
    head, found, parser = read(b"".join(kept.written))
    assert (head.status_code, head.reason, found) == (200, b"OK", b"abcde")
    assert (b"transfer-encoding" in dict(head.headers)) is not has_length
    assert b"date" in dict(head.headers)
    assert answer.is_complete
    assert parser.their_state is h11.DONE
    assert not parser.trailing_data[0]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_where_there_is_no_body_none_is_written(method: str, status: int) -> None:
    answer, kept = make(method)
    length = [(b"content-length", b"9")] if status != 204 else []
    await send(answer, start(status, *length), body(b"" if status != 200 else b"withheld"))
    head, found, parser = read(b"".join(kept.written), method)
    assert (head.status_code, found, parser.trailing_data[0]) == (status, b"", b"")
    assert answer.is_complete


async def test_a_head_leaves_at_once_unless_the_answer_is_there_whole() -> None:
    answer, kept = make()
    await send(answer, start(200, (b"content-length", b"1")))
    assert len(kept.written) == 1
    answer, kept = make()
    answer.is_corked = True
    await send(answer, start(200, (b"content-length", b"1")))
    assert not kept.written
    await send(answer, body(b"x"))
    assert len(kept.written) == 1
    assert read(kept.written[0])[1] == b"x"


async def test_the_end_of_a_connection_is_announced() -> None:
    for answer, kept in (make(keep_alive=False), make()):
        closing = [] if not answer.keep_alive else [(b"connection", b"close")]
        await send(answer, start(200, (b"content-length", b"0"), *closing), body())
        assert kept.written[0].lower().count(b"connection: close") == 1
        assert not answer.keep_alive


@pytest.mark.parametrize("value", [b"a\r\nX: b", b"a\nX: b", b"a\rb", b"a\0b"])
async def test_a_header_that_ends_its_line_is_not_written_but_500(value: bytes) -> None:
    answer, kept = make()
    with pytest.raises(BadMessages):
        await answer.send(start(200, (b"x-a", value)))
    assert not kept.written
    await answer.fail()
    assert read(b"".join(kept.written))[0].status_code == 500
    assert not answer.keep_alive


@pytest.mark.parametrize(
    "messages",
    [
        [body(b"x")],
        [start(), start()],
        [start(200, (b"content-length", b"1")), body(b"xy")],
        [start(200, (b"content-length", b"2")), body(b"x")],
        [start(), body(), body()],
        [{"type": "http.response.push"}],
    ],
)
async def test_messages_that_make_no_answer_are_refused(messages: list[dict[str, Any]]) -> None:
    answer, _ = make()
    with pytest.raises(BadMessages):
        await send(answer, *messages)


async def test_a_writer_waits_for_room_until_the_client_leaves() -> None:
    answer, _ = make()
    await answer.send(start())
    answer.pause()
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(answer.send(body(b"x", more=True)))
        await asyncio.sleep(0)
        assert not writing.done()
        answer.resume()
    left: list[bool] = []
    answer.call_when_left(lambda: left.append(True))
    answer.pause()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer.send(body(b"x", more=True)))
        await asyncio.sleep(0)
        answer.leave()
        answer.leave()
    assert left == [True]


async def test_who_receives_hears_of_no_body_and_then_that_the_client_left() -> None:
    answer, kept = make()
    assert await answer.receive() == {"type": "http.request", "body": b"", "more_body": False}
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(answer.receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        answer.leave()
    assert waiting.result() == {"type": "http.disconnect"}
    answer.abort()
    assert kept.is_aborted


@pytest.mark.parametrize(("method", "status", "sent"), [("GET", 200, b"abc"), ("HEAD", 200, b""), ("GET", 304, b"")])
async def test_what_is_written_at_once_is_one_answer_in_one_write(method: str, status: int, sent: bytes) -> None:
    answer, kept = make(method)
    assert answer.is_free
    answer.write_whole(status, [(b"content-length", b"3")], sent)
    head, found, _ = read(b"".join(kept.written), method)
    assert (head.status_code, found, len(kept.written)) == (status, sent, 1)
    assert answer.is_complete
    assert not answer.is_free


async def test_nothing_is_written_at_once_that_would_break_a_line_or_be_too_short() -> None:
    for headers in ([(b"x-a", b"1\r\nx-b: 2"), (b"content-length", b"3")], [(b"content-length", b"4")]):
        answer, kept = make()
        with pytest.raises(BadMessages):
            answer.write_whole(200, headers, b"abc")
        assert kept.written == []


async def test_an_answer_is_not_free_while_its_client_does_not_read_or_is_gone() -> None:
    answer, _ = make()
    answer.pause()
    assert not answer.is_free
    answer.resume()
    assert answer.is_free
    answer.leave()
    assert not answer.is_free
