from __future__ import annotations

import asyncio
import os

from genba_agent.terminals.scrollback import SCROLLBACK_BYTES
from genba_agent.terminals.session import PtySession
from genba_agent.terminals.spawning import WindowSize, spawn_on_pty
from genba_agent.terminals.viewer import CLEAR
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.terminal_streams import FakeStream

SIZE = WindowSize()


async def start(script: str, greeting: bytes = b"") -> PtySession:
    spawned = await asyncio.to_thread(spawn_on_pty, ["/bin/sh", "-c", script], dict(os.environ), SIZE)
    return PtySession(spawned, greeting, lambda session: None)


def watch(session: PtySession, size: WindowSize = SIZE) -> FakeStream:
    stream = FakeStream()
    session.add_viewer(stream, size)
    return stream


async def test_all_viewers_see_all_output_and_anyone_types() -> None:
    session = await start("stty -echo; echo ready; read a; read b; echo $a $b")
    first, second = watch(session), watch(session)
    await first.wait_for_output("ready")
    first.type("from-one\n")
    second.type("from-two\n")
    for stream in (first, second):
        assert await stream.wait_for_exit() == 0
        assert stream.output == b"ready\r\nfrom-one from-two\r\n"
    late = watch(session)
    assert late.output == first.output
    assert await late.wait_for_exit() == 0


async def test_greeting_comes_before_the_output_for_who_comes_late_too() -> None:
    session = await start("echo output; read line", b"greeting\r\n")
    stream = watch(session)
    await stream.wait_for_output(b"output\r\n")
    assert stream.output == b"greeting\r\noutput\r\n"
    assert watch(session).output == stream.output
    await session.kill()


async def test_size_is_what_was_asked_for_last() -> None:
    session = await start("stty -echo; echo ready; while read line; do stty size; done")
    first = watch(session, WindowSize(10, 20))
    await first.wait_for_output("ready")
    second = watch(session, WindowSize(30, 40))
    second.type("\n")
    await first.wait_for_output("30 40\r\n")
    first.resize(50, 60)
    second.type("\n")
    await second.wait_for_output("50 60\r\n")
    await session.kill()


async def test_program_waits_for_its_only_viewer_who_misses_nothing() -> None:
    total = 2_000_000
    session = await start(
        f"stty raw -echo; echo ready; read go; head -c {total} /dev/zero | tr '\\0' x; echo; echo end"
    )
    stream = watch(session)
    await stream.wait_for_output("ready")
    stream.is_writable = False
    stream.type("\n")
    while stream.output.count(b"x") < total:
        # What was shown while the stream was full is at most what one turn of the loop read.
        await asyncio.to_thread(lambda: None)
        stream.set_writable(writable=True)
        stream.is_writable = False
        await stream_turn(session)
    stream.set_writable(writable=True)
    assert await stream.wait_for_exit() == 0
    assert stream.output.count(b"x") == total
    assert CLEAR not in stream.output


async def stream_turn(session: PtySession) -> None:
    """Let the loop read once more."""
    end = session.scrollback.end
    for _ in range(100):
        await asyncio.sleep(0)
        if session.scrollback.end != end:
            return


async def test_slow_viewer_does_not_hold_up_others_and_comes_back_to_the_present() -> None:
    total = 2 * SCROLLBACK_BYTES
    session = await start(
        f"stty raw -echo; echo ready; read go; head -c {total} /dev/zero | tr '\\0' 'x'; echo end; cat"
    )
    fast, slow = watch(session), watch(session)
    await slow.wait_for_output("ready")
    await fast.wait_for_output("ready")
    slow.is_writable = False
    fast.type("\n")
    await fast.wait_for_output("end")
    assert slow.output == b"ready\n"
    slow.set_writable(writable=True)
    assert slow.output.startswith(b"ready\n" + CLEAR)
    assert slow.output.endswith(b"xend\n")
    assert len(slow.output) <= SCROLLBACK_BYTES + len(CLEAR) + len(b"ready\n")
    fast.type("typed")
    await slow.wait_for_output("end\ntyped")
    await session.kill()


async def test_program_goes_on_when_its_slow_viewer_leaves() -> None:
    session = await start("stty raw -echo; echo ready; read go; head -c 1000000 /dev/zero; exit 4")
    stream = watch(session)
    await stream.wait_for_output("ready")
    stream.is_writable = False
    stream.type("\n")
    await stream_turn(session)
    stream.leave()
    assert not session.is_watched
    back = watch(session)
    assert await back.wait_for_exit() == 4


async def test_end_is_known_when_each_who_looked_has_got_it() -> None:
    session = await start("read line; exit 3")
    lost, there = watch(session), watch(session)
    lost.listener.reset(ResetCode.LINK_LOST, "lost")
    there.type("\n")
    assert await there.wait_for_exit() == 3
    there.listener.finished()
    assert not session.is_watched
    assert not session.is_end_known
    back = watch(session)
    assert await back.wait_for_exit() == 3
    back.listener.finished()
    assert session.is_end_known


async def test_end_that_nobody_saw_is_not_known() -> None:
    session = await start("exit 3")
    stream = watch(session)
    await stream.wait_for_exit()
    stream.listener.reset(ResetCode.LINK_LOST, "lost")
    assert session.exit_code == 3
    assert not session.is_end_known


async def test_program_goes_on_when_its_slow_viewer_lost_its_connection_and_may_come_back() -> None:
    session = await start("stty raw -echo; echo ready; read go; head -c 1000000 /dev/zero; exit 4")
    stream = watch(session)
    await stream.wait_for_output("ready")
    stream.is_writable = False
    stream.type("\n")
    await stream_turn(session)
    assert session.exit_code is None
    stream.set_attached(attached=False)
    assert not session.is_watched
    assert await stream.wait_for_exit() == 4


async def test_viewer_that_comes_back_counts_again_and_sees_what_it_missed() -> None:
    session = await start("stty raw -echo; echo ready; read go; echo missed; read end")
    stream, other = watch(session), watch(session)
    await stream.wait_for_output("ready\n")
    stream.set_attached(attached=False)
    other.type("\n")
    await other.wait_for_output("missed\n")
    assert stream.output == b"ready\n"
    other.leave()
    assert not session.is_watched
    stream.set_attached(attached=True)
    assert session.is_watched
    assert stream.output == b"ready\nmissed\n"
    await session.kill()


async def test_program_waits_again_for_a_slow_viewer_that_came_back() -> None:
    session = await start("stty raw -echo; echo ready; read go; head -c 1000000 /dev/zero; exit 4")
    stream = watch(session)
    await stream.wait_for_output("ready")
    stream.is_writable = False
    stream.set_attached(attached=False)
    stream.set_attached(attached=True)
    stream.type("\n")
    await stream_turn(session)
    assert session.exit_code is None
    stream.set_writable(writable=True)
    assert await stream.wait_for_exit() == 4


async def test_end_is_not_known_to_who_has_no_connection() -> None:
    session = await start("read line; exit 3")
    away, there = watch(session), watch(session)
    away.set_attached(attached=False)
    there.type("\n")
    assert await there.wait_for_exit() == 3
    there.listener.finished()
    assert not session.is_watched
    assert not session.is_end_known
