"""Requests to apps through a real server, a real link and an agent's real streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.proxied_apps import PATH_HOST, AppWorld, app_world, get, read_request
from tests.support.waiting import turned_until

STUCK_S = 0.2
"""What is not taken for so long is held back."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[AppWorld]:
    async with app_world(tmp_path) as made:
        yield made


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers every request with its first line."""
    while True:
        first, _ = await read_request(reader)
        body = first.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-App: yes\r\n\r\n%s" % (len(body), body))


async def test_an_app_on_a_name_of_its_own_gets_the_address_as_it_was_asked_for(world: AppWorld) -> None:
    async with world.app(hello) as app, world.connect() as client:
        answer = await client.ask(get("/a%20b?x=1"))
        assert (answer.status, answer.body, answer.get("X-App")) == (200, b"GET /a%20b?x=1 HTTP/1.1", "yes")
        assert (await client.ask(get("/again"))).body == b"GET /again HTTP/1.1"
        assert app.connections == 1
        assert len(world.access.counted) == 2


async def test_a_small_answer_leaves_in_one_piece_also_the_last_of_its_connection(world: AppWorld) -> None:
    async with world.app(hello), world.connect() as client:
        for line in ("X: y", "Connection: close"):
            await client.send(get("/", line))
            assert (await client.reader.read(65536)).endswith(b"\r\n\r\nGET / HTTP/1.1")
        assert await client.reader.read() == b""


async def test_an_app_on_a_path_sees_what_is_below_it(world: AppWorld) -> None:
    async with world.app(hello), world.connect() as client:
        answer = await client.ask(get("/@alice/demo.main/apps/app/x/y?z", host=PATH_HOST))
        assert answer.body == b"GET /x/y?z HTTP/1.1"


async def test_other_hosts_reach_the_dashboard_only(world: AppWorld) -> None:
    async with world.app(hello) as app, world.connect() as client:
        assert (await client.ask(get(host="127.0.0.1"))).body == b"dashboard"
        assert len(world.inner) == 1
        assert app.connections == 0


async def test_a_head_has_no_body_and_a_range_reaches_the_app(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, headers = await read_request(reader)
        assert dict(headers)["range"] == "bytes=1-2"
        writer.write(b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\nContent-Range: bytes 1-2/9\r\n\r\n")
        if first.startswith("GET"):
            writer.write(b"bc")
        await serve(reader, writer)

    async with world.app(serve) as app, world.connect() as client:
        head = await client.ask(get("/", "Range: bytes=1-2", method="HEAD"), is_head=True)
        assert (head.status, head.get("Content-Length"), head.body) == (206, "2", b"")
        body = await client.ask(get("/", "Range: bytes=1-2"))
        assert (body.get("Content-Range"), body.body) == ("bytes 1-2/9", b"bc")
        assert app.connections == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_leaves_the_connection_for_the_next(world: AppWorld, status: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(b"HTTP/1.1 %d Fine\r\nETag: x\r\n\r\n" % status)

    async with world.app(serve) as app, world.connect() as client:
        for _ in range(2):
            assert (await client.ask(get())).status == status
        assert app.connections == 1


async def echo_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with the body of the request in chunks, and says how it was framed."""
    while True:
        _, headers = await read_request(reader)
        said = dict(headers)
        framing = "length" if "content-length" in said else said.get("transfer-encoding", "none")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Framing: %s\r\n\r\n" % framing.encode())
        if framing == "length":
            left = int(said["content-length"])
            while left:
                data = await reader.read(min(left, 65536))
                left -= len(data)
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await writer.drain()
        else:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                data = await reader.readexactly(size)
                await reader.readexactly(2)
                writer.write(b"%x\r\n%s\r\n" % (size, data))
            await reader.readexactly(2)
        writer.write(b"0\r\n\r\n")


async def test_bodies_pass_both_ways_with_a_length_and_in_chunks(world: AppWorld) -> None:
    async with world.app(echo_body) as app, world.connect() as client:
        sized = await client.ask(get("/", "Content-Length: 5", method="POST", body=b"hello"))
        assert (sized.get("X-Framing"), sized.body) == ("length", b"hello")
        chunks = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
        chunked = await client.ask(get("/", "Transfer-Encoding: chunked", method="POST", body=chunks))
        assert (chunked.get("X-Framing"), chunked.body) == ("chunked", b"abcde")
        empty = await client.ask(get("/", "Content-Length: 0", method="POST"))
        assert (empty.get("X-Framing"), empty.body) == ("length", b"")
        assert app.connections == 1


async def test_who_expects_100_is_told_to_go_on_and_the_app_is_not_asked(world: AppWorld) -> None:
    async with world.app(echo_body), world.connect() as client:
        await client.send(get("/", "Content-Length: 5", "Expect: 100-continue", method="POST"))
        assert (await client.read_head()).status == 100
        answer = await client.ask(b"hello")
        assert answer.body == b"hello"


async def test_informational_answers_of_an_app_are_passed_over(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with world.app(serve):
        assert (await world.ask(get())).body == b"ok"


async def test_trailers_reach_who_asked_for_them(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, headers = await read_request(reader)
            assert dict(headers).get("te", "") in ("trailers", "")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n")
            writer.write(b"2\r\nok\r\n0\r\ngrpc-status: 0\r\nSet-Cookie: a=b\r\n\r\n")

    async with world.app(serve), world.connect() as client:
        asked = await client.ask(get("/", "TE: trailers", "Connection: TE"))
        assert (asked.body, asked.trailers, asked.get("Trailer")) == (b"ok", [("grpc-status", "0")], "grpc-status")
        assert (await client.ask(get())).trailers == []


async def test_an_answer_that_ends_with_its_connection_is_whole(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nold")

    async with world.app(serve) as app, world.connect() as client:
        for _ in range(2):
            answer = await client.ask(get())
            assert (answer.body, answer.get("Transfer-Encoding")) == (b"old", "chunked")
        assert app.connections == 2


async def test_events_are_handed_on_as_they_come(world: AppWorld) -> None:
    go_on = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await go_on.wait()
        writer.write(b"data: 2\n\n")
        await reader.read()

    async with world.app(serve), world.connect() as client:
        await client.send(get())
        assert (await client.read_head()).get("Content-Type") == "text/event-stream"
        assert await client.reader.readuntil(b"\n\n\r\n") == b"9\r\ndata: 1\n\n\r\n"
        go_on.set()
        assert await client.reader.readuntil(b"\n\n\r\n") == b"9\r\ndata: 2\n\n\r\n"


async def test_a_client_that_leaves_ends_the_request_to_the_app(world: AppWorld) -> None:
    was_left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            await reader.read()
        finally:
            was_left.set()

    async with world.app(serve):
        async with world.connect() as client:
            await client.send(get())
            await client.read_head()
        async with asyncio.timeout(30):
            await was_left.wait()


async def test_an_app_that_dies_within_its_answer_breaks_the_clients_connection(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _ = await read_request(reader)
        framing = b"Content-Length: 9" if first.startswith("GET /sized") else b"Transfer-Encoding: chunked"
        writer.write(b"HTTP/1.1 200 OK\r\n%s\r\n\r\n3\r\nabc\r\n" % framing)
        await writer.drain()
        writer.transport.abort()

    async with world.app(serve):
        for path in ("/sized", "/chunked"):
            assert not (await world.ask(get(path))).is_whole


async def test_a_slow_reader_holds_back_the_app(world: AppWorld) -> None:
    stuck_at: asyncio.Queue[int] = asyncio.Queue()
    total = 128 * 1024 * 1024  # the buffers of five sockets on the way grow to tens of MiB

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for written in range(65536, total + 1, 65536):
            writer.write(bytes(65536))
            try:
                async with asyncio.timeout(STUCK_S):
                    await writer.drain()
            except TimeoutError:
                stuck_at.put_nowait(written)
                await writer.drain()

    async with world.app(serve), world.connect() as client:
        await client.send(get())
        await client.read_head()
        assert await asyncio.wait_for(stuck_at.get(), 30) < total / 2
        received = 0
        async with asyncio.timeout(60):
            while received < total:
                received += len(await client.reader.read(1 << 20))
        assert received == total


async def test_a_slow_app_holds_back_an_upload(world: AppWorld) -> None:
    go_on = asyncio.Event()
    total = 128 * 1024 * 1024  # the buffers of five sockets on the way grow to tens of MiB

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await go_on.wait()
        left = total
        while left:
            left -= len(await reader.read(1 << 20))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    async with world.app(serve), world.connect() as client:
        sent = 0
        await client.send(get("/", f"Content-Length: {total}", method="POST"))
        while sent < total:
            client.writer.write(bytes(65536))
            sent += 65536
            if not go_on.is_set():
                try:
                    async with asyncio.timeout(STUCK_S):
                        await client.writer.drain()
                except TimeoutError:
                    assert sent < total / 2
                    go_on.set()
            else:
                await client.writer.drain()
        assert go_on.is_set()
        assert (await client.read_answer()).body == b"done"


async def test_an_app_may_answer_before_it_has_read_the_body(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!")
        await reader.read()

    async with world.app(serve), world.connect() as client:
        await client.send(get("/", "Content-Length: 100000000", method="POST", body=bytes(1_000_000)))
        answer = await client.read_answer()
        assert (answer.status, answer.body) == (413, b"no!")


async def test_a_request_that_can_be_sent_twice_is_when_its_kept_connection_was_closed(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        # The next request finds an open connection, which is dropped unanswered.
        await read_request(reader)
        writer.transport.abort()

    async with world.app(serve) as app, world.connect() as client:
        assert (await client.ask(get())).body == b"ok"
        assert (await client.ask(get())).body == b"ok"
        assert app.connections == 2
        posted = await client.ask(get("/", "Content-Length: 1", method="POST", body=b"x"))
        assert posted.status == 502


async def test_a_kept_connection_that_the_app_closed_is_not_used(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()

    pool = world.front._means.pool  # pyright: ignore[reportPrivateUsage]
    async with world.app(serve) as app, world.connect() as client:
        for _ in range(3):
            answer = await client.ask(get("/", "Content-Length: 1", method="POST", body=b"x"))
            assert answer.body == b"ok"
            await app.wait_done()
            await turned_until(lambda: not pool.idle_count)
        assert app.connections == 3


async def test_where_nothing_listens_a_page_says_so_and_goes_on_by_itself(world: AppWorld) -> None:
    world.access.urls["app"] = "http://127.0.0.1:1"
    answer = await world.ask(get("/", "Accept: text/html"))
    assert answer.status == 502
    assert b"Nothing listens at http://127.0.0.1:1" in answer.body
    assert b'http-equiv="refresh" content="2"' in answer.body
    assert "default-src 'none'" in answer.get("Content-Security-Policy")
    told = await world.ask(get("/", "Accept: application/json"))
    assert told.get("Content-Type") == "application/json"
    assert told.body.startswith(b'{"message":"Nothing listens')


async def test_an_app_that_speaks_no_http_is_named(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    async with world.app(serve):
        answer = await world.ask(get())
        assert answer.status == 502
        assert b"is not HTTP" in answer.body


async def test_an_agent_that_is_killed_breaks_open_answers_and_is_named_to_later_ones(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await reader.read()

    async with world.app(serve), world.connect() as client:
        await client.send(get())
        await client.read_head()
        for carrier in world.sessions.agent.carriers:
            carrier.abort()
        assert await _read_rest(client.reader) in (b"abc", b"")
        world.sessions.dials._controls.clear()  # pyright: ignore[reportPrivateUsage]  # as when the agent is gone
        answer = await world.ask(get())
        assert answer.status == 502
        assert b"no control connection" in answer.body


async def _read_rest(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(30):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


async def test_a_long_answer_ends_when_its_reader_may_not_have_it(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await reader.read()

    async with world.app(serve), world.connect() as client:
        await client.send(get())
        await client.read_head()
        assert await client.reader.readexactly(3) == b"abc"
        world.access.may_end.set()
        assert await _read_rest(client.reader) == b""


async def test_early_hints_are_left_out_where_a_client_may_take_them_for_the_answer(world: AppWorld) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with world.app(serve):
        answer = await world.ask(get())
    assert (answer.status, answer.body, answer.get("Link")) == (200, b"ok", "")
