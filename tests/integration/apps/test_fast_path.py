"""The fast path beside Hypercorn, on the connections of a real server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol

from genba_gateway.apps import fast_path
from genba_gateway.apps.fast_path import MAX_WAITING_BYTES
from genba_gateway.domain.app_access import AppDecision, AppOrigin, AppRequest
from tests.support.carriers import CEILING_S
from tests.support.chaos_line import RESET_AT_CLOSE
from tests.support.proxied_apps import AppWorld, app_world, get, read_request
from tests.support.tls import make_server_tls
from tests.support.waiting import eventually, turned_until


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


@pytest.fixture
def read_by_hypercorn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses of requests that Hypercorn made streams for."""
    targets: list[str] = []
    create = H11Protocol._create_stream  # pyright: ignore[reportPrivateUsage]

    async def note(self: H11Protocol, request: Any) -> None:
        targets.append(request.target.decode())
        await create(self, request)

    monkeypatch.setattr(H11Protocol, "_create_stream", note)
    return targets


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers every request with its target, after a body has come if one is named."""
    while True:
        first, headers = await read_request(reader)
        await reader.readexactly(int(dict(headers).get("content-length", "0")))
        body = first.split()[1].encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


async def test_both_ways_take_turns_on_one_connection(world: AppWorld, read_by_hypercorn: list[str]) -> None:
    async with world.app(hello) as app, world.connect() as client:
        for number in range(3):
            asked = [
                (get(f"/plain{number}"), f"/plain{number}"),
                (get(f"/body{number}", "Content-Length: 2", method="POST", body=b"ab"), f"/body{number}"),
                (get(f"/inner{number}", host="127.0.0.1"), "dashboard"),
                (get(f"/trailers{number}", "TE: trailers"), f"/trailers{number}"),
            ]
            for request, expected in asked:
                assert (await client.ask(request)).body.decode() == expected
        assert app.connections == 1
    assert read_by_hypercorn == [f"/{kind}{number}" for number in range(3) for kind in ("body", "inner", "trailers")]


async def test_a_head_that_comes_in_parts_is_read_by_hypercorn_and_the_next_is_not(
    world: AppWorld, read_by_hypercorn: list[str]
) -> None:
    async with world.app(hello), world.connect() as client:
        whole = get("/parts")
        await client.send(whole[:20])
        await asyncio.sleep(0.05)
        assert (await client.ask(whole[20:])).body == b"/parts"
        assert (await client.ask(get("/whole"))).body == b"/whole"
    assert read_by_hypercorn == ["/parts"]


async def test_requests_that_do_not_wait_for_their_answers_are_answered_in_order(
    world: AppWorld, read_by_hypercorn: list[str]
) -> None:
    async with world.app(hello), world.connect() as client:
        await client.send(get("/1") + get("/2"))
        assert [(await client.read_answer()).body for _ in range(2)] == [b"/1", b"/2"]
        await client.send(get("/3"))
        await client.send(get("/4") + get("/5", "Content-Length: 1", method="POST", body=b"x") + get("/6"))
        assert [(await client.read_answer()).body for _ in range(4)] == [b"/3", b"/4", b"/5", b"/6"]
        assert (await client.ask(get("/7"))).body == b"/7"
    assert read_by_hypercorn[:2] == ["/1", "/2"]
    assert "/7" not in read_by_hypercorn


async def test_who_sends_on_without_reading_is_held_back_and_loses_nothing(world: AppWorld) -> None:
    may_answer = asyncio.Event()
    sizes: list[int] = []

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, headers = await read_request(reader)
            sizes.append(len(dict(headers).get("x-long", "")))
            await may_answer.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    requests = 800  # Hypercorn closes a connection after a thousand
    async with world.app(wait), world.connect() as client:
        long = get("/", "X-Long: " + "x" * 15000)
        client.writer.write(long)
        await turned_until(lambda: len(sizes) == 1)
        client.writer.write(long * requests)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.writer.drain()
        may_answer.set()
        async with asyncio.timeout(CEILING_S):
            for _ in range(requests + 1):
                assert (await client.read_answer()).status == 200
    assert sizes == [15000] * (requests + 1)
    assert requests * len(long) > 4 * MAX_WAITING_BYTES


async def test_an_application_that_fails_is_answered_for(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_request: Any) -> Any:
        raise ZeroDivisionError

    async with world.app(hello), world.connect() as client:
        with monkeypatch.context() as patched:
            patched.setattr(world.access, "decide", fail)
            answer = await client.ask(get("/"))
            assert (answer.status, answer.get("Connection")) == (500, "close")
            assert await client.reader.read() == b""
    assert "ZeroDivisionError" in caplog.text
    async with world.app(hello), world.connect() as client:
        assert (await client.ask(get("/on"))).body == b"/on"


async def test_a_shutdown_lets_what_is_under_way_end_and_closes_what_is_idle(world: AppWorld) -> None:
    may_answer = asyncio.Event()
    asked = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        await may_answer.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read()

    async with world.app(wait), world.app(hello, "other"), world.connect() as busy, world.connect() as idle:
        assert (await idle.ask(get("/", host="other.apps.test"))).body == b"/"
        await busy.send(get("/"))
        await asked.wait()
        world.shutdown.set()
        async with asyncio.timeout(CEILING_S):
            assert await idle.reader.read() == b""
        may_answer.set()
        assert (await busy.read_answer()).body == b"ok"
        assert await busy.reader.read() == b""


async def test_over_tls_it_serves_from_the_second_request_at_the_latest(
    tmp_path: Path, read_by_hypercorn: list[str]
) -> None:
    """The first may come with the end of TLS's handshake, before the server knows the connection."""
    async with app_world(tmp_path, make_server_tls(tmp_path)) as world, world.app(hello), world.connect() as client:
        assert (await client.ask(get("/a"))).body == b"/a"
        assert (await client.ask(get("/b", "Connection: close"))).body == b"/b"
        async with asyncio.timeout(CEILING_S):
            assert await client.reader.read() == b""
    assert "/b" not in read_by_hypercorn


@pytest.mark.parametrize("is_abrupt", [False, True])
async def test_who_leaves_while_it_is_decided_ends_the_request(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch, is_abrupt: bool
) -> None:
    asked, may_decide, was_left = asyncio.Event(), asyncio.Event(), asyncio.Event()
    decide = world.access.decide

    async def decide_late(request: AppRequest) -> AppDecision:
        asked.set()
        await may_decide.wait()
        return await decide(request)

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(bytes(1024 * 1024))
                await writer.drain()
        finally:
            was_left.set()

    monkeypatch.setattr(world.access, "decide", decide_late)
    async with world.app(pour) as app, world.connect() as client:
        await client.send(get())
        await asked.wait()
        if is_abrupt:
            client.writer.transport.abort()
        else:
            client.writer.write_eof()
        await asyncio.sleep(0.05)
        may_decide.set()
        async with asyncio.timeout(CEILING_S):
            assert await client.reader.read() == b""
            if app.connections:
                await was_left.wait()


@pytest.mark.parametrize("is_abrupt", [False, True])
async def test_who_leaves_with_a_request_waiting_behind_an_answer_leaves_nothing(
    world: AppWorld, is_abrupt: bool
) -> None:
    """Two requests in one piece are Hypercorn's, which doesn't read on until the first one's answer is over."""
    is_left = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nbegun")
        await writer.drain()
        await reader.read()
        is_left.set()

    def count() -> int:
        return sum("_server_callback" in repr(task.get_coro()) for task in asyncio.all_tasks())

    async with world.app(pour):
        async with world.connect() as client:
            await client.send(get("/1") + get("/2"))
            await client.read_head()
            assert count() == 1
            if not is_abrupt:
                assert await client.reader.read(1)
            # With something left to read the kernel sends a reset.
            client.writer.transport.abort()
        async with asyncio.timeout(CEILING_S):
            await is_left.wait()
        await turned_until(lambda: count() == 0)


@pytest.mark.parametrize(
    ("requests", "behind", "is_abrupt"), [(1, 70_000, True), (1, 70_000, False), (2, 300_000, True)]
)
async def test_who_sends_much_behind_a_request_and_leaves_leaves_nothing(
    world: AppWorld, requests: int, behind: int, is_abrupt: bool
) -> None:
    """Nothing is read from such a client until it has its answer, which may never come."""
    is_asked, is_left = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        is_asked.set()
        await reader.read()
        is_left.set()

    async with world.app(hang), world.connect() as client:
        await client.send(get("/") * requests)
        await is_asked.wait()
        client.writer.write(b"x" * behind)
        await asyncio.sleep(0.1)
        connection = client.writer.transport.get_extra_info("socket")
        if is_abrupt:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        client.writer.transport.abort()
        async with asyncio.timeout(CEILING_S):
            await is_left.wait()


async def test_who_leaves_behind_a_body_that_the_app_does_not_take_leaves_nothing(world: AppWorld) -> None:
    is_asked, may_read = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        is_asked.set()
        await may_read.wait()
        with suppress(OSError):
            while await reader.read(65536):
                pass

    async with world.app(hang), world.connect() as client:
        size = 20_000_000
        client.writer.write(get("/", f"Content-Length: {size}", method="POST") + bytes(size))
        await is_asked.wait()
        await asyncio.sleep(0.5)
        connection = client.writer.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        client.writer.transport.abort()
        await eventually(lambda: world.is_at_rest)
        may_read.set()


async def test_who_leaves_before_the_application_fails_is_not_answered(
    world: AppWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))
    is_asked, may_fail = asyncio.Event(), asyncio.Event()

    async def fail(_request: Any) -> Any:
        is_asked.set()
        await may_fail.wait()
        raise ZeroDivisionError

    monkeypatch.setattr(world.access, "decide", fail)
    async with world.connect() as client:
        await client.send(get("/"))
        await is_asked.wait()
        client.writer.transport.abort()
        await asyncio.sleep(0.05)
        may_fail.set()
        await turned_until(lambda: "ZeroDivisionError" in caplog.text)
        await asyncio.sleep(0.05)
    assert errors == []


async def test_a_slow_client_gets_all_of_an_answer_that_closes_its_connection() -> None:
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    body = bytes(60_000)

    def make_serving(_scope: Any, _receive: Any, send: Any, _origin: Any, _host: str) -> Any:
        async def run() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"60000")]})
            await send({"type": "http.response.body", "body": body})

        def begin(_on_answer: Any) -> bool:
            return False

        return SimpleNamespace(begin=begin, run=run)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fast_path, "CLOSE_S", 0.02)
        async with asyncio.TaskGroup() as tasks:

            def start(work: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> None:
                tasks.create_task(work(*args))

            reader, writer = await asyncio.open_connection(sock=near)
            server: Any = SimpleNamespace(
                writer=writer,
                is_between_requests=True,
                protocol=SimpleNamespace(client=None, server=None, ssl=False),
                idle=SimpleNamespace(mark_busy=lambda: None, mark_idle=lambda: None),
                context=SimpleNamespace(terminated=asyncio.Event()),
                config=Config(),
                start=start,
                notice_loss=lambda: None,
                tell_lost=lambda: None,
            )
            fast_path.FastPath(server, lambda _scope, _host: AppOrigin.SUBDOMAIN, make_serving)
            far_reader, far_writer = await asyncio.open_connection(sock=far, limit=1024)
            far_writer.write(get("/", "Connection: close"))
            await asyncio.sleep(0.2)
            async with asyncio.timeout(CEILING_S):
                came = await far_reader.read(-1)
            assert came.endswith(b"\r\n\r\n" + body)
            far_writer.close()
            async with asyncio.timeout(CEILING_S):
                assert await reader.read() == b""
