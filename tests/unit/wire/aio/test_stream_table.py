"""The streams of a link, without a link: two tables that hand each other their bytes."""

from __future__ import annotations

import asyncio

import pytest

from genba_wire.aio.stream import Stream, StreamHandler
from genba_wire.aio.stream_table import TURN_BYTES, StreamTable, split_messages
from genba_wire.errors import LinkEnded, RemoteProtocolError, StreamRefused
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.links import Hosts, StreamHearer


class Tables:
    """A client's and an agent's table; `carry` moves what one has to send to the other."""

    def __init__(self, handler: StreamHandler | None) -> None:
        self.client = StreamTable(is_client=True, handler=None, on_change=lambda: None)
        self.agent = StreamTable(is_client=False, handler=handler, on_change=lambda: None)

    def carry(self, budget: int = 1 << 20) -> int:
        size = 0
        for sender, receiver in ((self.client, self.agent), (self.agent, self.client)):
            for part in sender.take_frames(budget):
                size += len(part)
                receiver.receive(part)
        return size

    async def open(self, kind: str = "test") -> StreamHearer:
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(self.client.open(kind, b""))
            await asyncio.sleep(0)
            self.carry()
        return StreamHearer(opening.result())


async def test_streams_take_turns() -> None:
    hosts = Hosts()
    tables = Tables(hosts.handle_stream)
    first, second = await tables.open(), await tables.open()
    first.stream.write(bytes(3 * TURN_BYTES))
    second.stream.write(b"k")
    for part in tables.client.take_frames(TURN_BYTES + 1):
        tables.agent.receive(part)
    assert [hearer.received for hearer in hosts.hearers] == [TURN_BYTES, 1]
    assert tables.client.has_more
    tables.carry()
    assert hosts.hearers[0].received == 3 * TURN_BYTES
    assert not tables.client.has_more


async def test_without_a_handler_streams_are_refused() -> None:
    tables = Tables(None)
    with pytest.raises(ExceptionGroup) as group:
        await tables.open()
    refused = group.value.exceptions[0]
    assert isinstance(refused, StreamRefused)
    assert refused.code == ResetCode.NOT_SUPPORTED


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("secret"), ResetCode.FAILED), (RemoteProtocolError("not JSON"), ResetCode.PROTOCOL)],
)
async def test_listener_that_raises_loses_its_own_stream_only(error: Exception, code: int) -> None:
    class Broken(StreamHearer):
        def data_received(self, data: memoryview) -> None:
            raise error

    hosts = Hosts()

    def serve(kind: str, head: bytes, stream: Stream) -> None:
        if kind == "broken":
            stream.accept()
            Broken(stream)
        else:
            hosts.handle_stream(kind, head, stream)

    tables = Tables(serve)
    broken, sound = await tables.open("broken"), await tables.open("sound")
    broken.stream.write(b"x")
    sound.stream.write(b"y")
    tables.carry()
    tables.carry()
    assert [reset[0] for reset in broken.resets] == [code]
    assert "secret" not in broken.resets[0][1]
    assert (hosts.hearers[0].data, sound.resets) == (b"y", [])


async def test_lost_link_ends_streams_and_those_that_are_opening() -> None:
    tables = Tables(Hosts().handle_stream)
    open_already = await tables.open()
    with pytest.raises(ExceptionGroup) as group:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(tables.client.open("test", b""))
            await asyncio.sleep(0)
            tables.client.lose(LinkEnded(6, "bytes were lost"))
    assert isinstance(group.value.exceptions[0], LinkEnded)
    assert open_already.resets == [(ResetCode.LINK_LOST, "bytes were lost")]


def test_parts_are_grouped_within_the_limit() -> None:
    parts = [b"a" * 60, b"b" * 40, b"c", b"d" * 99, b"e" * 100]
    groups = split_messages(list(parts), 100)
    assert [sum(map(len, group)) for group in groups] == [100, 100, 100]
    assert [part for group in groups for part in group] == parts


async def test_streams_hear_once_of_a_lost_carrier_and_of_the_next_one() -> None:
    tables = Tables(Hosts().handle_stream)
    stream = (await tables.open()).stream
    heard: list[bool] = []
    stream.watch_carrier(heard.append)
    for is_attached in (True, False, False, True):
        tables.client.set_attached(is_attached=is_attached)
    assert heard == [False, True]
    assert stream.is_attached


async def test_listener_that_raises_at_the_loss_of_the_carrier_loses_its_own_stream_only() -> None:
    tables = Tables(Hosts().handle_stream)
    broken, sound = await tables.open(), await tables.open()
    heard: list[bool] = []

    def fail(is_attached: bool) -> None:
        raise RuntimeError("secret")

    broken.stream.watch_carrier(fail)
    sound.stream.watch_carrier(heard.append)
    tables.client.set_attached(is_attached=False)
    assert (broken.stream.is_over, sound.stream.is_over, heard) == (True, False, [False])
