"""Requests that are sent at once over a kept connection, and answered without a task where the answer comes whole."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from genba_gateway.apps.connections import MAX_JOINED_BYTES
from genba_gateway.apps.front import AppFront
from genba_gateway.apps.long_answers import LONG_ANSWER_S
from genba_gateway.relay.takeover import TakeableServer
from tests.support.carriers import CEILING_S
from tests.support.proxied_apps import AppWorld, RawClient, Serve, app_world, get, read_request
from tests.support.waiting import turned_until

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was started as a task of a connection."""
    started: list[str] = []
    start = TakeableServer.start

    def note(self: TakeableServer, work: Any, *args: Any) -> None:
        started.append(work.__name__)
        start(self, work, *args)

    monkeypatch.setattr(TakeableServer, "start", note)
    return started


def after_warm_up(play: Play) -> Serve:
    """An app whose answer to the second request of each connection is played by the test."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in itertools.count():
            await read_request(reader)
            if number == 1:
                await play(reader, writer)
            else:
                writer.write(OK % (4, b"") + b"warm")

    return serve


async def warm_up(client: RawClient, tasks: list[str]) -> None:
    """Have the next request know its app, and find a kept connection."""
    assert (await client.ask(get("/warm"))).body == b"warm"
    tasks.clear()


@pytest.mark.parametrize("size", [0, 1, MAX_JOINED_BYTES - 500, MAX_JOINED_BYTES * 4])
@pytest.mark.parametrize("is_split", [False, True])
async def test_what_comes_whole_and_is_little_needs_no_task(
    world: AppWorld, tasks: list[str], size: int, is_split: bool
) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)

    async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK % (size, b""))
        if is_split:
            await writer.drain()
        writer.write(body)

    async with world.app(after_warm_up(play)) as app, world.connect() as client:
        await warm_up(client, tasks)
        answer = await client.ask(get("/"))
        assert (answer.status, answer.body) == (200, body)
        assert app.connections == 1
        if size < MAX_JOINED_BYTES and not is_split:
            assert tasks == []
        elif size > MAX_JOINED_BYTES:
            assert tasks == ["_run"]


@pytest.mark.parametrize(
    ("head", "body", "is_head"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", False),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", b"", False),
        (OK % (1000, b""), b"", True),
        (OK % (2, b"Set-Cookie: a=b\r\n"), b"ok", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"ok", False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"to the end", False),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK % (2, b""), b"ok", False),
    ],
)
async def test_every_form_of_an_answer_is_handed_on(
    world: AppWorld, tasks: list[str], head: bytes, body: bytes, is_head: bool
) -> None:
    async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head if b"chunked" in head else head + body)
        if b"Connection: close" in head:
            writer.close()

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        answer = await client.ask(get("/", method="HEAD" if is_head else "GET"), is_head=is_head)
        assert answer.body == (b"" if is_head else body)
        assert answer.get("Set-Cookie") == ("a=b" if b"a=b" in head else "")
        assert answer.get("Content-Length") == ("1000" if is_head else answer.get("Content-Length"))
        # The connection is as good as before.
        assert (await client.ask(get("/warm"))).body == b"warm"


async def test_an_answer_whose_end_is_late_comes_in_time_and_whole(world: AppWorld, tasks: list[str]) -> None:
    may_end = asyncio.Event()

    async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK % (6, b"") + b"beg")
        await may_end.wait()
        writer.write(b"end")

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        await client.send(get("/"))
        head = await client.read_head()
        assert head.status == 200
        assert await client.reader.readexactly(3) == b"beg"
        may_end.set()
        assert await client.reader.readexactly(3) == b"end"
        assert tasks == ["_run"]


async def test_a_kept_connection_that_ends_before_it_answers_is_replaced(world: AppWorld, tasks: list[str]) -> None:
    async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with world.app(after_warm_up(play)) as app, world.connect() as client:
        await warm_up(client, tasks)
        assert (await client.ask(get("/again"))).body == b"warm"
        assert app.connections == 2


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", OK % (9, b"") + b"less"])
async def test_an_answer_that_is_none_is_told_as_ever(world: AppWorld, tasks: list[str], answer: bytes) -> None:
    async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        if b"less" in answer:
            await client.send(get("/"))
            async with asyncio.timeout(CEILING_S):
                assert (await client.reader.read()).endswith(b"less")
        else:
            got = await client.ask(get("/"))
            assert got.status == 502
            assert b"is not HTTP" in got.body


@pytest.mark.parametrize("is_abrupt", [False, True])
async def test_who_leaves_before_the_answer_takes_the_apps_connection_along(
    world: AppWorld, tasks: list[str], is_abrupt: bool
) -> None:
    is_asked, is_left = asyncio.Event(), asyncio.Event()

    async def play(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        is_asked.set()
        await reader.read()
        is_left.set()

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        await client.send(get("/"))
        await is_asked.wait()
        assert not world.is_at_rest
        if is_abrupt:
            client.writer.transport.abort()
        else:
            client.writer.write_eof()
        async with asyncio.timeout(CEILING_S):
            await is_left.wait()
        assert world.is_at_rest


async def test_an_answer_that_is_long_in_coming_ends_when_its_reader_may_not_have_it(
    world: AppWorld, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genba_gateway.apps.long_answers.LONG_ANSWER_S", LONG_ANSWER_S / 50)

    async def play(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        await client.send(get("/"))
        world.access.may_end.set()
        async with asyncio.timeout(CEILING_S):
            assert await client.reader.read() == b""


async def test_a_shutdown_waits_for_an_answer_that_nobody_reads_yet(world: AppWorld, tasks: list[str]) -> None:
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def play(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_asked.set()
        await may_answer.wait()
        writer.write(OK % (2, b"") + b"ok")

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        await client.send(get("/"))
        await is_asked.wait()
        assert tasks == []
        world.shutdown.set()
        await asyncio.sleep(0.1)
        may_answer.set()
        assert (await client.read_answer()).body == b"ok"
        assert await client.reader.read() == b""


async def test_a_client_that_reads_nothing_is_held_back(world: AppWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request is sent when the one before is over: no answer is written while its client has enough to read."""
    body = bytes(MAX_JOINED_BYTES - 500)
    paths: list[Any] = []
    attach = AppFront.attach

    def note(self: AppFront, server: TakeableServer) -> None:
        attach(self, server)
        paths.append(server.writer.transport.get_protocol())

    monkeypatch.setattr(AppFront, "attach", note)

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(OK % (len(body), b"") + body)
            await read_request(reader)

    async with world.app(after_warm_up(play)):
        assert (await world.ask(get("/warm"))).body == b"warm"
        with socket.create_connection(("127.0.0.1", world.port)) as silent:
            silent.setblocking(False)
            sent = 0

            def is_answered() -> bool:
                return len(world.access.counted) == sent + 1 and paths[-1]._answer is None

            with pytest.raises(TimeoutError):
                while sent < 4000:
                    silent.send(get("/"))
                    sent += 1
                    async with asyncio.timeout(0.5):
                        await turned_until(is_answered)
            waiting = paths[-1]._transport.get_write_buffer_size()
            assert waiting < 8 * MAX_JOINED_BYTES


async def test_a_forced_shutdown_takes_what_nobody_waits_for_along(
    world: AppWorld, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked = asyncio.Event()
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    start = TakeableServer.__init__

    def hurry(self: TakeableServer, *args: Any, **kwargs: Any) -> None:
        start(self, *args, **kwargs)
        self.config.graceful_timeout = 0.2

    monkeypatch.setattr(TakeableServer, "__init__", hurry)

    async def play(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        is_asked.set()
        await reader.read()

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        await client.send(get("/"))
        await is_asked.wait()
        world.shutdown.set()
        await turned_until(lambda: world.is_at_rest)
        await client.reader.read()
    assert [each for each in errors if not isinstance(each.get("exception"), asyncio.CancelledError)] == []


async def test_what_fails_while_it_is_sent_takes_nothing(
    world: AppWorld, tasks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    def fail(_request: Any) -> Any:
        raise ZeroDivisionError

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        with monkeypatch.context() as patched:
            patched.setattr("genba_gateway.apps.exchange.for_app", fail)
            assert (await client.ask(get("/"))).status == 500
        assert tasks == ["_run"]
    await turned_until(lambda: world.is_at_rest)


async def test_what_can_not_be_begun_is_answered_for_and_takes_nothing(
    world: AppWorld, tasks: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def play(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    def fail(_request: Any) -> Any:
        raise ZeroDivisionError

    async with world.app(after_warm_up(play)), world.connect() as client:
        await warm_up(client, tasks)
        with monkeypatch.context() as patched:
            patched.setattr(world.access, "decide_now", fail)
            assert (await client.ask(get("/"))).status == 500
    assert "ZeroDivisionError" in caplog.text
    await turned_until(lambda: world.is_at_rest)


async def test_many_at_once_are_each_given_their_own(world: AppWorld, tasks: list[str]) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            first, _ = await read_request(reader)
            body = first.split()[1].encode()
            writer.write(OK % (len(body), b"") + body)

    async def browse(number: int) -> None:
        async with world.connect() as client:
            for page in range(40):
                assert (await client.ask(get(f"/{number}/{page}"))).body == f"/{number}/{page}".encode()

    async with world.app(echo) as app:
        async with asyncio.TaskGroup() as browsers:
            for number in range(16):
                browsers.create_task(browse(number))
        assert app.connections <= 16
    assert len(tasks) < 16 * 40 / 2
