from __future__ import annotations

import asyncio
import dataclasses
import os
import uuid
from pathlib import Path

import psutil
import pytest

from genba_agent.terminals import sessions as sessions_module
from genba_agent.terminals.session_members import HANG_UP_S
from genba_agent.terminals.sessions import KEPT_S, MAX_SESSIONS
from genba_wire.tunnel.mux_frames import ResetCode
from genba_wire.tunnel.streams import PTY
from tests.support.terminal_streams import (
    PROMPT,
    FakeStream,
    make_environment,
    open_terminal,
    running_terminals,
)
from tests.support.waiting import eventually


async def read_pid(stream: FakeStream) -> int:
    """The process id that a command printed as "pid=…;"."""
    await stream.wait_for(lambda: b";" in stream.output)
    return int(bytes(stream.output).partition(b"pid=")[2].partition(b";")[0])


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_login_shell_works_like_a_terminal(tmp_path: Path) -> None:
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = open_terminal(terminals.sessions, height=30, width=100)
        await stream.wait_for_output(PROMPT)
        assert stream.is_accepted
        stream.type("stty size; echo $TERM; pwd; echo 世界 | od -c | head -1\n")
        await stream.wait_for_output("30 100\r\nxterm-256color\r\n" + str(tmp_path))
        stream.type("exit 6\n")
        assert await stream.wait_for_exit() == 6


async def test_job_control_works(tmp_path: Path) -> None:
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = open_terminal(terminals.sessions)
        await stream.wait_for_output(PROMPT)
        stream.type("sh -c 'echo \"go\"ing; exec cat'\n")
        await stream.wait_for_output("going")
        stream.output.clear()
        stream.type("\x03")
        # What is typed before is flushed with the interrupt.
        await stream.wait_for_output(PROMPT)
        stream.type("echo 'status' $?\n")
        await stream.wait_for_output("status 130")
        stream.type("sh -c 'echo \"sleep\"ing; exec sleep 1000'\n")
        await stream.wait_for_output("sleeping")
        stream.output.clear()
        stream.type("\x1a")
        await stream.wait_for_output(PROMPT)
        stream.type("jobs\n")
        await stream.wait_for_output("Stopped")


async def test_bytes_that_are_no_text_pass_both_ways(tmp_path: Path) -> None:
    every = bytes(range(256))
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = open_terminal(terminals.sessions, "stty raw -echo; printf ready; head -c 256")
        await stream.wait_for_output("ready")
        stream.type(every)
        assert await stream.wait_for_exit() == 0
        assert stream.output == b"ready" + every


async def test_message_of_the_day_greets(tmp_path: Path) -> None:
    motd = tmp_path / "motd"
    motd.write_text("Mind the step.\n")
    async with running_terminals(make_environment(tmp_path, motd_file=str(motd))) as terminals:
        stream = open_terminal(terminals.sessions)
        await stream.wait_for_output(PROMPT)
        assert stream.output.startswith(b"Mind the step.\r\n")


async def test_same_id_is_the_same_session_and_two_who_come_at_once_share_it(tmp_path: Path) -> None:
    reconnect = str(uuid.uuid4())
    async with running_terminals(make_environment(tmp_path)) as terminals:
        command = "echo pid=$$\\;; cat"
        first = open_terminal(terminals.sessions, command, reconnect=reconnect)
        second = open_terminal(terminals.sessions, command, reconnect=reconnect)
        other = open_terminal(terminals.sessions, command)
        pids = [await read_pid(stream) for stream in (first, second, other)]
        assert pids[0] == pids[1] != pids[2]
        assert terminals.sessions.watched_count == 2
        first.leave()
        second.leave()
        assert terminals.sessions.watched_count == 1
        back = open_terminal(terminals.sessions, command, reconnect=reconnect)
        assert await read_pid(back) == pids[0]
        assert terminals.sessions.watched_count == 2


async def test_session_ends_five_minutes_after_its_last_viewer_left(tmp_path: Path) -> None:
    reconnect = str(uuid.uuid4())
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = open_terminal(terminals.sessions, "echo pid=$$\\;; cat", reconnect=reconnect)
        pid = await read_pid(stream)
        stream.leave()
        await terminals.clock.wait_for_sleep(KEPT_S)
        terminals.clock.advance(KEPT_S - 1)
        back = open_terminal(terminals.sessions, reconnect=reconnect)
        assert await read_pid(back) == pid
        terminals.clock.advance(KEPT_S)
        back.leave()
        await terminals.clock.wait_for_sleep(KEPT_S)
        terminals.clock.advance(KEPT_S)
        await eventually(lambda: is_gone(pid))
        another = open_terminal(terminals.sessions, "echo pid=$$\\;; cat", reconnect=reconnect)
        assert await read_pid(another) != pid


async def test_end_of_a_command_is_told_to_who_lost_the_link_and_the_command_is_not_run_again(tmp_path: Path) -> None:
    reconnect = str(uuid.uuid4())
    async with running_terminals(make_environment(tmp_path)) as terminals:
        command = f"read line; echo run >> '{tmp_path}/runs'; echo done; exit 9"
        stream = open_terminal(terminals.sessions, command, reconnect=reconnect)
        await stream.wait_for_accept()
        stream.listener.reset(ResetCode.LINK_LOST, "lost")
        typist = open_terminal(terminals.sessions, command, reconnect=reconnect)
        typist.type("\n")
        assert await typist.wait_for_exit() == 9
        typist.listener.reset(ResetCode.LINK_LOST, "lost")
        back = open_terminal(terminals.sessions, command, reconnect=reconnect)
        assert await back.wait_for_exit() == 9
        assert b"done" in back.output
        assert (tmp_path / "runs").read_text() == "run\n"
        back.listener.finished()
        again = open_terminal(terminals.sessions, command, reconnect=reconnect)
        await again.wait_for_accept()
        again.type("\n")
        assert await again.wait_for_exit() == 9
        assert (tmp_path / "runs").read_text() == "run\nrun\n"


async def test_terminal_that_must_exist_is_not_started_but_found(tmp_path: Path) -> None:
    reconnect = str(uuid.uuid4())
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = open_terminal(terminals.sessions, "echo started", reconnect=reconnect, must_exist=True)
        assert (stream.refusal or (None, ""))[0] == ResetCode.GONE
        started = open_terminal(terminals.sessions, "read x; exit 4", reconnect=reconnect)
        await started.wait_for_accept()
        found = open_terminal(terminals.sessions, "exit 5", reconnect=reconnect, must_exist=True)
        await found.wait_for_accept()
        found.type("\n")
        assert await found.wait_for_exit() == 4


async def test_end_is_remembered_for_five_minutes_only(tmp_path: Path) -> None:
    reconnect = str(uuid.uuid4())
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = open_terminal(terminals.sessions, "echo pid=$$\\;", reconnect=reconnect)
        pid = await read_pid(stream)
        await stream.wait_for_exit()
        stream.listener.reset(ResetCode.LINK_LOST, "lost")
        await terminals.clock.wait_for_sleep(KEPT_S)
        terminals.clock.advance(KEPT_S)
        for task in asyncio.all_tasks():
            if task.get_name().startswith("expiry"):
                await task
        again = open_terminal(terminals.sessions, "echo pid=$$\\;", reconnect=reconnect)
        assert await read_pid(again) != pid


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"{", ResetCode.PROTOCOL),
        (b'{"reconnect": "no uuid"}', ResetCode.PROTOCOL),
        (b'{"reconnect": "0d0f8b5e-6a43-4a66-8f58-1f5a8a9d3c77", "height": 0}', ResetCode.PROTOCOL),
        (b'{"reconnect": "0d0f8b5e-6a43-4a66-8f58-1f5a8a9d3c77", "command": "a\\u0000b"}', ResetCode.FAILED),
    ],
)
async def test_request_that_makes_no_sense_is_refused(tmp_path: Path, head: bytes, code: ResetCode) -> None:
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = FakeStream()
        terminals.sessions.handle_stream(PTY, head, stream)
        await stream.wait_for(lambda: stream.refusal is not None)
        assert stream.refusal is not None
        assert stream.refusal[0] == code


async def test_before_the_manifest_terminals_are_refused(tmp_path: Path) -> None:
    async with running_terminals(None) as terminals:
        stream = open_terminal(terminals.sessions)
        assert stream.refusal == (ResetCode.REFUSED, "The agent has not its manifest yet; try again in a moment.")


async def test_shell_that_does_not_exist_says_so(tmp_path: Path) -> None:
    environment = dataclasses.replace(make_environment(tmp_path), shell="/no/such/shell")  # noqa: S604
    async with running_terminals(environment) as terminals:
        stream = open_terminal(terminals.sessions)
        assert await stream.wait_for_exit() == 127
        assert b"/no/such/shell" in stream.output


async def test_no_pty_left_is_a_refusal_with_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pty() -> tuple[int, int]:
        raise OSError("out of pty devices")

    reconnect = str(uuid.uuid4())
    async with running_terminals(make_environment(tmp_path)) as terminals:
        with monkeypatch.context() as patched:
            patched.setattr(os, "openpty", no_pty)
            stream = open_terminal(terminals.sessions, reconnect=reconnect)
            await stream.wait_for(lambda: stream.refusal is not None)
        assert stream.refusal == (ResetCode.FAILED, "The terminal could not be started: out of pty devices.")
        again = open_terminal(terminals.sessions, reconnect=reconnect)
        await again.wait_for_output(PROMPT)


async def test_mistake_in_the_agent_refuses_one_terminal_and_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    async with running_terminals(make_environment(tmp_path)) as terminals:
        with monkeypatch.context() as patched:
            patched.setattr(sessions_module, "make_command", fail)
            stream = open_terminal(terminals.sessions)
            await stream.wait_for(lambda: stream.refusal is not None)
        assert stream.refusal == (ResetCode.FAILED, "The terminal could not be started: see the agent's log.")
        await open_terminal(terminals.sessions).wait_for_output(PROMPT)


async def test_limit_of_sessions_counts_those_that_run(tmp_path: Path) -> None:
    async with running_terminals(make_environment(tmp_path)) as terminals:
        streams = [open_terminal(terminals.sessions, "read line") for _ in range(MAX_SESSIONS)]
        for stream in streams:
            await stream.wait_for_accept()
        refused = open_terminal(terminals.sessions)
        assert refused.refusal is not None
        assert refused.refusal[0] == ResetCode.REFUSED
        assert str(MAX_SESSIONS) in refused.refusal[1]
        streams[0].type("\n")
        await streams[0].wait_for_exit()
        await open_terminal(terminals.sessions).wait_for_output(PROMPT)


async def test_ends_that_nobody_fetches_are_forgotten_when_they_are_many(tmp_path: Path) -> None:
    async with running_terminals(make_environment(tmp_path)) as terminals:
        ids = [str(uuid.uuid4()) for _ in range(MAX_SESSIONS + 1)]
        for reconnect in ids:
            stream = open_terminal(terminals.sessions, "echo pid=$$\\;", reconnect=reconnect)
            await stream.wait_for_exit()
            stream.listener.reset(ResetCode.LINK_LOST, "lost")
        kept = open_terminal(terminals.sessions, "echo again", reconnect=ids[1])
        assert await kept.wait_for_exit() == 0
        assert b"again" not in kept.output
        forgotten = open_terminal(terminals.sessions, "echo again", reconnect=ids[0])
        await forgotten.wait_for_output("again")


async def test_stop_ends_all_that_lives_and_refuses_what_comes(tmp_path: Path) -> None:
    stubborn = "(trap '' HUP; echo pid=$(sh -c 'echo $PPID')\\;; exec sleep 1000) & trap '' HUP; wait"
    async with running_terminals(make_environment(tmp_path)) as terminals:
        polite = open_terminal(terminals.sessions)
        await polite.wait_for_output(PROMPT)
        hard = open_terminal(terminals.sessions, stubborn)
        pid = await read_pid(hard)
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(terminals.sessions.stop())
            await terminals.clock.wait_for_sleep(HANG_UP_S)
            assert not is_gone(pid)
            late = open_terminal(terminals.sessions)
            assert late.refusal == (ResetCode.REFUSED, "The workspace is stopping.")
            terminals.clock.advance(HANG_UP_S)
            await stopping
        await polite.wait_for_exit()
        assert await hard.wait_for_exit() == -9
        await eventually(lambda: is_gone(pid))


async def test_agent_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    pids: list[int] = []

    async def live() -> None:
        async with running_terminals(make_environment(tmp_path)) as terminals:
            stream = open_terminal(terminals.sessions, "trap '' HUP TERM; echo pid=$$\\;; while :; do sleep 1000; done")
            pids.append(await read_pid(stream))
            # Another is still starting.
            open_terminal(terminals.sessions, "sleep 1000")
            await asyncio.sleep(0)
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        living = group.create_task(live())
        await started.wait()
        living.cancel()
    assert is_gone(pids[0])


async def test_a_viewer_that_lost_its_connection_keeps_the_session_until_it_is_given_up(tmp_path: Path) -> None:
    async with running_terminals(make_environment(tmp_path)) as terminals:
        stream = open_terminal(terminals.sessions, "echo pid=$$\\;; cat")
        pid = await read_pid(stream)
        stream.set_attached(attached=False)
        assert terminals.sessions.watched_count == 0
        terminals.clock.advance(2 * KEPT_S)
        stream.set_attached(attached=True)
        assert terminals.sessions.watched_count == 1
        stream.type("here\n")
        await stream.wait_for_output("here")
        stream.set_attached(attached=False)
        stream.leave()  # as the agent does with the streams of a link that it kept for long enough
        await terminals.clock.wait_for_sleep(KEPT_S)
        terminals.clock.advance(KEPT_S)
        await eventually(lambda: is_gone(pid))
