"""A session of bytes between local descriptors and an agent: its ends, its pauses and how it is over."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import SupportsIndex

import pytest

from genba_agent.carriers.links import LinkTable
from genba_ide_bridge.sessions.byte_session import OPENING_ATTEMPTS, SessionEnd
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.byte_agent import Pipes, byte_stage, pipes, socket_pair
from tests.support.carriers import CEILING_S


class Endless(list[Exception]):
    """Failures that don't run out."""

    def pop(self, _at: SupportsIndex = 0) -> Exception:
        return self[0]


async def ending(task: asyncio.Task[SessionEnd]) -> SessionEnd:
    async with asyncio.timeout(CEILING_S):
        return await task


@pytest.mark.parametrize("make_ends", [pipes, socket_pair])
async def test_bytes_flow_both_ways_until_both_ends_have_finished(
    make_ends: Callable[[], AbstractAsyncContextManager[Pipes]],
) -> None:
    async with byte_stage() as stage, make_ends() as ends, stage.running(ends.source, ends.target) as (session, task):
        far = await stage.hearer()
        assert stage.agent.opened == [("ssh", b"{}")]
        assert [request.json()["purpose"] for request in stage.gateway.requests if request.body] == ["ssh"]
        ends.write(b"SSH-2.0-here\r\n")
        await far.until(lambda: far.data == b"SSH-2.0-here\r\n")
        far.stream.write(b"SSH-2.0-there\r\n")
        assert await ends.read(15) == b"SSH-2.0-there\r\n"
        # The agent says its last; what is said here afterwards still arrives.
        far.stream.finish()
        assert await ends.read(1) == b""
        ends.write(b"goodbye")
        os.close(ends.from_session)
        ends.from_session = -1
        ends.end_input()
        await far.wait_finished()
        assert far.data.endswith(b"goodbye")
        assert await ending(task) == SessionEnd()
        assert (session.traffic.sent, session.traffic.received) == (21, 15)


async def test_a_file_is_sent_to_its_end_and_the_answer_written_to_another(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "in").write_bytes(content)
    source = os.open(tmp_path / "in", os.O_RDONLY)
    target = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT, 0o600)
    async with byte_stage() as stage, stage.running(source, target) as (_, task):
        far = await stage.hearer()
        await far.wait_finished()
        assert far.digest.digest() == hashlib.sha256(content).digest()
        for at in range(0, len(content), 500_000):
            far.stream.write(content[at : at + 500_000])
        far.stream.finish()
        assert await ending(task) == SessionEnd()
    assert (tmp_path / "out").read_bytes() == content


async def test_an_agent_that_takes_nothing_holds_the_reading_back() -> None:
    async with byte_stage() as stage, pipes() as ends:
        stage.agent.gives_credit = False
        os.set_blocking(ends.to_session, False)
        async with stage.running(ends.source, ends.target) as (session, _):
            far = await stage.hearer()
            written, last_heard = 0, -1
            # Whoever writes here finds the pipe full once credit, stream and pipe hold all they can.
            async with asyncio.timeout(CEILING_S):
                while True:
                    try:
                        written += os.write(ends.to_session, bytes(65536))
                    except BlockingIOError:
                        if session.traffic.sent == last_heard and not far.stream.waiting_bytes:
                            break
                        last_heard = session.traffic.sent
                        await asyncio.sleep(0.01)
            assert session.traffic.sent < 4_000_000
            far.gives_credit = True
            far.stream.consumed(far.received)
            ends.end_input()
            await far.wait_finished()
            assert far.received == written


async def test_whoever_reads_nothing_here_holds_the_agent_back() -> None:
    async with byte_stage() as stage, pipes() as ends, stage.running(ends.source, ends.target):
        far = await stage.hearer()
        for _ in range(100):
            far.stream.write(bytes(65536))
        assert not far.stream.is_writable
        # Read a little: the rest comes by and by, and all of it.
        assert len(await ends.read(100 * 65536)) == 100 * 65536


async def test_an_outage_is_waited_out() -> None:
    async with byte_stage() as stage, pipes() as ends, stage.running(ends.source, ends.target) as (_, task):
        far = await stage.hearer()
        ends.write(b"before ")
        await far.until(lambda: far.data == b"before ")
        stage.transport.failures = [GatewayUnreachable("away"), GatewayRefused(502, "a proxy's page")]
        stage.transport.lose_carrier()
        await stage.changes.until(lambda: bool(stage.outages))
        ends.write(b"meanwhile ")
        await stage.changes.until(lambda: stage.resumed == 1)
        far.stream.write(b"after")
        assert await ends.read(5) == b"after"
        await far.until(lambda: far.data == b"before meanwhile ")
        assert not task.done()
        assert len(stage.agent.opened) == 1


@pytest.mark.parametrize(
    ("boot_id", "said"),
    [(b"B" * 16, "was restarted"), (b"A" * 16, "The session with the agent is over")],
)
async def test_a_lost_link_ends_the_session_with_its_reason(boot_id: bytes, said: str) -> None:
    async with byte_stage() as stage, pipes() as ends, stage.running(ends.source, ends.target) as (_, task):
        await stage.hearer()
        stage.agent.forget_links(boot_id)
        stage.transport.lose_carrier()
        assert said in (await ending(task)).reason
        assert await ends.read(1) == b""
        assert len(stage.agent.opened) == 1


async def test_a_stopped_workspace_ends_the_session_and_names_the_command() -> None:
    async with byte_stage() as stage, pipes() as ends, stage.running(ends.source, ends.target) as (_, task):
        await stage.hearer()
        stage.gateway.add_build(stage.address.workspace_id, transition="stop")
        stage.transport.failures = [GatewayRefused(404, "no such agent")]
        stage.transport.lose_carrier()
        end = await ending(task)
        assert "was stopped" in end.reason
        assert "genba start" in end.hint


async def test_an_agent_that_has_just_begun_is_asked_again_and_others_are_believed() -> None:
    async with byte_stage() as stage, pipes() as ends:
        stage.agent.refusals = [(ResetCode.REFUSED, "not yet")]
        async with stage.running(ends.source, ends.target):
            await stage.hearer()
            assert len(stage.agent.opened) == 2
    async with byte_stage() as stage, pipes() as ends:
        stage.agent.refusals = [(ResetCode.NOT_SUPPORTED, "unknown kind")]
        async with stage.running(ends.source, ends.target) as (_, task):
            end = await ending(task)
            assert "serves no ssh sessions" in end.reason
            assert "genba restart" in end.hint


async def test_a_broken_stream_is_told() -> None:
    async with byte_stage() as stage, pipes() as ends, stage.running(ends.source, ends.target) as (_, task):
        far = await stage.hearer()
        far.stream.reset(ResetCode.FAILED, "The SSH server broke.")
        assert (await ending(task)).reason == "The agent broke the session off: The SSH server broke."


async def test_a_reader_who_goes_away_ends_the_session_and_the_agent_learns_it() -> None:
    async with byte_stage() as stage, pipes() as ends, stage.running(ends.source, ends.target) as (_, task):
        far = await stage.hearer()
        os.close(ends.from_session)
        ends.from_session = -1
        assert await ending(task) == SessionEnd()
        await far.until(lambda: bool(far.resets))


async def test_a_reader_who_goes_away_in_an_outage_ends_the_session() -> None:
    async with byte_stage() as stage, pipes() as ends, stage.running(ends.source, ends.target) as (_, task):
        await stage.hearer()
        stage.transport.failures = Endless([GatewayUnreachable("away")])
        stage.transport.lose_carrier()
        await stage.changes.until(lambda: bool(stage.outages))
        os.close(ends.from_session)
        ends.from_session = -1
        assert await ending(task) == SessionEnd()


async def test_links_that_end_before_the_stream_opens_are_tried_a_few_times_only() -> None:
    async with byte_stage() as stage, pipes() as ends:
        stage.agent.links = LinkTable(b"A" * 16, lambda _kind, _head, _stream: stage.agent.links.close("not today"))
        async with stage.running(ends.source, ends.target) as (_, task):
            assert (await ending(task)).reason == "The session with the agent is over: not today."
        assert len(stage.transport.tickets) == OPENING_ATTEMPTS
