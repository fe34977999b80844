"""Streams over a real websocket on loopback; time passes only when the test lets it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from genba_ide_bridge.lsp.bulk import TOKEN_LIFE_S, BulkServer
from genba_ide_bridge.lsp.messages import StreamResult


class SetTime:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def say_hello(connection: ServerConnection) -> None:
    await connection.send("hello")


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def status_of(url: str) -> int:
    with pytest.raises(InvalidStatus) as refused:
        await connect(url)
    return refused.value.response.status_code


async def read_to_the_end(opened: StreamResult, first: Mapping[str, str] | str) -> tuple[list[str | bytes], int | None]:
    async with connect(opened.url) as editor:
        await editor.send(first if isinstance(first, str) else json.dumps(first))
        messages: list[str | bytes] = []
        try:
            while True:
                messages.append(await editor.recv())
        except ConnectionClosed:
            return messages, editor.close_code


async def test_a_stream_works_once_with_its_token() -> None:
    async with BulkServer() as bulk:
        opened = bulk.open(say_hello)
        assert opened.url.endswith(f"/streams/{opened.id}")
        assert opened.token not in repr(opened)
        assert await read_to_the_end(opened, {"token": opened.token}) == (["hello"], 1000)
        assert await status_of(opened.url) == 404


@pytest.mark.parametrize("first", [{"token": "wrong"}, "not JSON", {"other": "x"}])
async def test_a_wrong_token_spends_the_stream(first: Mapping[str, str] | str) -> None:
    async with BulkServer() as bulk:
        opened = bulk.open(say_hello)
        assert await read_to_the_end(opened, first) == ([], 4001)
        assert await status_of(opened.url) == 404


async def test_a_token_expires_at_its_time() -> None:
    time = SetTime()
    async with BulkServer(time) as bulk:
        kept, expired = bulk.open(say_hello), bulk.open(say_hello)
        time.now += TOKEN_LIFE_S - 0.01
        assert await read_to_the_end(kept, {"token": kept.token}) == (["hello"], 1000)
        time.now += 0.01
        assert await status_of(expired.url) == 404


async def test_a_stream_is_not_there_for_a_second_editor() -> None:
    async with BulkServer() as bulk:
        opened = bulk.open(echo)
        async with connect(opened.url) as editor:
            await editor.send(json.dumps({"token": opened.token}))
            await editor.send("x")
            assert await editor.recv() == "x"
            assert await status_of(opened.url) == 404


async def test_closing_ends_a_stream_and_leaves_the_others() -> None:
    async with BulkServer() as bulk:
        opened, other, waiting = bulk.open(echo), bulk.open(echo), bulk.open(echo)
        async with connect(opened.url) as editor, connect(other.url) as neighbour:
            for websocket, stream in ((editor, opened), (neighbour, other)):
                await websocket.send(json.dumps({"token": stream.token}))
                await websocket.send("x")
                await websocket.recv()
            for name in (opened.id, waiting.id, "unknown"):
                bulk.close(name)
            with pytest.raises(ConnectionClosed):
                await editor.recv()
            assert editor.close_code == 1001
            await neighbour.send("still here")
            assert await neighbour.recv() == "still here"
        assert await status_of(waiting.url) == 404


async def test_the_end_of_the_server_ends_its_streams() -> None:
    async with BulkServer() as bulk:
        opened = bulk.open(echo)
        editor = await connect(opened.url)
        await editor.send(json.dumps({"token": opened.token}))
        await editor.send("x")
        await editor.recv()
    with pytest.raises(ConnectionClosed):
        await editor.recv()
    assert editor.close_code == 1001


async def test_a_stream_that_fails_takes_nothing_else_down(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_connection: ServerConnection) -> None:
        async with asyncio.TaskGroup():
            raise RuntimeError("a fault")

    async with BulkServer() as bulk:
        broken, sound = bulk.open(fail), bulk.open(say_hello)
        with caplog.at_level(logging.ERROR):
            assert await read_to_the_end(broken, {"token": broken.token}) == ([], 1011)
        assert "a fault" in caplog.text
        assert broken.token not in caplog.text
        assert await read_to_the_end(sound, {"token": sound.token}) == (["hello"], 1000)
