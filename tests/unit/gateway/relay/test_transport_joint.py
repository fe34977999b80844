"""Two transports joined, seen byte by byte through socket pairs (tests/integration/test_relay*.py: through servers)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from genba_gateway.relay.joint import JoinEnd
from genba_gateway.relay.transport_joint import TransportJoint
from genba_wire.websocket_frames import Opcode
from tests.support.carriers import CEILING_S
from tests.support.raw_websocket import make_frame
from tests.support.session_world import taken_pair

CLOSE = make_frame((1000).to_bytes(2, "big"), opcode=Opcode.CLOSE)


@dataclass
class Peer:
    """What is at the far end of one of the transports."""

    socket: socket.socket

    async def write(self, data: bytes) -> None:
        async with asyncio.timeout(CEILING_S):
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def read(self, size: int) -> bytes:
        data = b""
        async with asyncio.timeout(CEILING_S):
            while len(data) < size:
                more = await asyncio.get_running_loop().sock_recv(self.socket, size - len(data))
                assert more, f"it ended after {len(data)} bytes"
                data += more
        return data

    async def read_to_end(self) -> bytes:
        data = b""
        async with asyncio.timeout(CEILING_S):
            while more := await asyncio.get_running_loop().sock_recv(self.socket, 65536):
                data += more
        return data


@asynccontextmanager
async def joined() -> AsyncGenerator[tuple[Peer, Peer, TransportJoint, asyncio.Task[JoinEnd]]]:
    async with taken_pair() as (client, near), taken_pair() as (agent, far), asyncio.TaskGroup() as tasks:
        joint = TransportJoint(client, agent)
        running = tasks.create_task(joint.run())
        yield Peer(near), Peer(far), joint, running
        # Without them nothing has to be waited for.
        near.close()
        far.close()


def plain(payload: bytes, opcode: int = Opcode.BINARY) -> bytes:
    """A frame as a server sends it."""
    return make_frame(payload, masked=False, opcode=opcode)


async def test_frames_pass_unmasked_whatever_they_were_masked_with() -> None:
    async with joined() as (client, agent, _, _):
        for key in (bytes(4), b"\x01\x02\x03\x04"):
            for payload in (b"", b"x" * 125, os.urandom(126), os.urandom(70_000)):
                await client.write(make_frame(payload, key=key))
                assert await agent.read(len(plain(payload))) == plain(payload)
        await agent.write(make_frame(b"back", opcode=Opcode.PING))
        assert await client.read(6) == plain(b"back", Opcode.PING)


async def test_a_frame_that_comes_in_pieces_is_passed_on_as_it_comes() -> None:
    async with joined() as (client, agent, _, _):
        frame = make_frame(b"0123456789")
        for at in range(len(frame)):
            await client.write(frame[at : at + 1])
        assert await agent.read(12) == plain(b"0123456789")
        # The head's four bytes of mask are all that is not passed on.
        await client.write(make_frame(bytes(1000))[:100])
        assert len(await agent.read(100 - 4)) == 96


async def test_both_ends_that_closed_are_dropped_and_what_passed_is_counted() -> None:
    async with joined() as (client, agent, _, running):
        await client.write(make_frame(b"hello") + CLOSE)
        assert await agent.read(7 + 4) == plain(b"hello") + plain((1000).to_bytes(2, "big"), Opcode.CLOSE)
        await agent.write(CLOSE)
        assert await client.read_to_end() == plain((1000).to_bytes(2, "big"), Opcode.CLOSE)
        assert await agent.read_to_end() == b""
        ended = await running
        assert ended.reason == "The client closed the session."
        assert (ended.bytes_from_a, ended.bytes_from_b) == (11 + 8, 8)


async def test_an_end_that_breaks_the_protocol_is_dropped_and_the_other_told() -> None:
    async with joined() as (client, agent, _, running):
        # A client's frame has to be masked.
        await client.write(plain(b"not masked"))
        goodbye = await agent.read(4)
        assert (goodbye[0], goodbye[2:4]) == (0x88, (1002).to_bytes(2, "big"))
        await agent.write(CLOSE)
        assert "broke the protocol" in (await running).reason


async def test_an_end_that_is_gone_leaves_the_other_a_reason() -> None:
    async with joined() as (client, agent, _, running):
        agent.socket.close()
        goodbye = await client.read(4)
        assert (goodbye[0], goodbye[2:4]) == (0x88, (1001).to_bytes(2, "big"))
        await client.write(CLOSE)
        assert b"agent" in await client.read_to_end()
        assert "agent" in (await running).reason


async def test_what_is_closed_from_outside_is_closed_behind_the_last_whole_frame() -> None:
    async with joined() as (client, agent, joint, running):
        frame = make_frame(b"a" * 1000)
        await client.write(frame[:500])
        begun = await agent.read(500 - 4)
        joint.close(4001, "revoked")
        await client.write(frame[500:] + make_frame(b"too late"))
        goodbye = plain((4001).to_bytes(2, "big") + b"revoked", Opcode.CLOSE)
        whole = plain(b"a" * 1000)
        assert begun + await agent.read(len(whole) - len(begun) + len(goodbye)) == whole + goodbye
        await client.write(CLOSE)
        await agent.write(CLOSE)
        assert b"too late" not in await agent.read_to_end()
        assert (await running).reason == "revoked"


async def test_an_end_that_takes_nothing_holds_the_other() -> None:
    async with joined() as (client, agent, _, _):
        frame = make_frame(bytes(64 * 1024))
        sent = 0
        async with asyncio.timeout(CEILING_S):
            # Until the sockets of both ends are full, and not a buffer between them that grows.
            for _ in range(64):
                try:
                    sent += client.socket.send(frame[sent % len(frame) :])
                    await asyncio.sleep(0)
                except BlockingIOError:
                    await asyncio.sleep(0)
        assert sent < 64 * len(frame)
        whole = sent // len(frame)
        received = await agent.read(whole * (len(frame) - 4))
        assert len(received) == whole * (len(frame) - 4)
