"""Agents under their supervisor, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from genba_gateway.provider import host_supervisor
from genba_gateway.provider.context import CancelNotice
from genba_gateway.provider.genba.processes import Launch, StartError, end_marked, start_agent, stop_agent
from genba_gateway.provider.host_runs import find_lock_holder, is_marked, list_marked
from genba_gateway.provider.host_supervisor import MARKER, MAX_LOG_BYTES, list_descendants
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="host workspaces need Linux")


@pytest.fixture
def run_directory(tmp_path: Path) -> Generator[Path]:
    folder = tmp_path / "w" / "run" / "main"
    folder.mkdir(parents=True)
    yield folder
    assert end_marked(folder) == []


def make_launch(run_directory: Path, script: str, grace_s: float = 10) -> Launch:
    return Launch(
        run_directory,
        ("/bin/sh", "-c", script),
        run_directory,
        run_directory / "output.log",
        grace_s,
        {"PATH": os.environ["PATH"]},
    )


def read_output(run_directory: Path) -> str:
    output = run_directory / "output.log"
    return output.read_text() if output.exists() else ""


def test_supervisor_holds_the_lock_and_is_marked(run_directory: Path) -> None:
    pid = start_agent(make_launch(run_directory, "sleep 60"))
    assert find_lock_holder(str(run_directory)) == pid
    assert pid in list_marked(str(run_directory))
    assert is_marked(pid, str(run_directory.parent))
    assert not is_marked(pid, str(run_directory.parent / "mai"))
    assert list_descendants(pid) != []


def test_nobody_holds_the_lock_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert find_lock_holder(str(tmp_path / "missing")) is None


async def test_second_supervisor_of_a_folder_gives_up(run_directory: Path) -> None:
    first = await asyncio.to_thread(start_agent, make_launch(run_directory, "sleep 60"))
    with pytest.raises(StartError, match="unavailable"):
        await asyncio.to_thread(start_agent, make_launch(run_directory, "sleep 61"))
    assert find_lock_holder(str(run_directory)) == first
    assert await stop_agent(run_directory, 10) == []


def test_missing_program_is_an_error_and_leaves_nothing(run_directory: Path) -> None:
    launch = make_launch(run_directory, "")
    missing = Launch(run_directory, ("/missing",), run_directory, launch.output, 1, launch.environment)
    with pytest.raises(StartError, match="No such file"):
        start_agent(missing)
    assert list_marked(str(run_directory)) == []


async def test_stop_gives_the_agent_time_to_end(run_directory: Path) -> None:
    script = "trap 'sleep 0.3; echo tidied; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    await asyncio.to_thread(start_agent, make_launch(run_directory, script))
    await eventually(lambda: "up" in read_output(run_directory))
    assert await stop_agent(run_directory, 10) == []
    assert "tidied" in read_output(run_directory)
    assert list_marked(str(run_directory)) == []


async def test_stop_kills_what_does_not_end_in_its_grace(run_directory: Path) -> None:
    script = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    await asyncio.to_thread(start_agent, make_launch(run_directory, script, grace_s=0.1))
    await eventually(lambda: "up" in read_output(run_directory))
    assert await stop_agent(run_directory, 0.1) == []
    assert list_marked(str(run_directory)) == []


async def test_cancel_cuts_the_grace_short(run_directory: Path) -> None:
    script = "trap 'echo told' TERM; echo up; while :; do sleep 0.05; done"
    await asyncio.to_thread(start_agent, make_launch(run_directory, script, grace_s=600))
    await eventually(lambda: "up" in read_output(run_directory))
    cancel = CancelNotice()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        stopped = group.create_task(stop_agent(run_directory, 600, cancel))
        await eventually(lambda: "told" in read_output(run_directory))
        cancel.give()
    assert stopped.result() == []


async def test_stop_of_nothing_is_fine(run_directory: Path) -> None:
    assert await stop_agent(run_directory, 10) == []


async def test_frozen_supervisor_does_not_keep_its_agent(run_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = await asyncio.to_thread(start_agent, make_launch(run_directory, "sleep 60"))
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("genba_gateway.provider.genba.processes.GIVE_UP_AFTER_S", 2.0)
    assert await stop_agent(run_directory, -2.5) == []
    assert list_marked(str(run_directory)) == []


async def test_daemons_stay_the_supervisors_descendants(run_directory: Path) -> None:
    script = "(setsid sh -c 'echo $$ > daemon; exec sleep 60' &); exec sleep 61"
    pid = await asyncio.to_thread(start_agent, make_launch(run_directory, script))
    await eventually(lambda: (run_directory / "daemon").exists() and (run_directory / "daemon").read_text() != "")
    daemon = int((run_directory / "daemon").read_text())
    await eventually(lambda: daemon in list_descendants(pid))
    assert await stop_agent(run_directory, 10) == []
    assert str(daemon) not in os.listdir("/proc")


def test_processes_of_other_folders_are_spared(run_directory: Path, tmp_path: Path) -> None:
    other = {**os.environ, MARKER: f"{run_directory}2"}
    with subprocess.Popen(["/bin/sleep", "60"], env=other) as spared:
        start_agent(make_launch(run_directory, "sleep 60"))
        assert end_marked(run_directory) == []
        assert spared.poll() is None
        spared.kill()


async def test_long_log_is_put_aside(run_directory: Path) -> None:
    (run_directory / "output.log").write_bytes(b"x" * (MAX_LOG_BYTES + 1))
    await asyncio.to_thread(start_agent, make_launch(run_directory, "echo up; exec sleep 60"))
    await eventually(lambda: read_output(run_directory) == "up\n")
    assert (run_directory / "output.log.1").stat().st_size == MAX_LOG_BYTES + 1


async def test_orderer_that_is_gone_gets_no_agent(run_directory: Path) -> None:
    # The pipe for the answer has no reader, as when the gateway was killed.
    read_end, write_end = os.pipe()
    os.close(read_end)
    launch = make_launch(run_directory, "sleep 60", grace_s=0.1)
    order = host_supervisor.Order(str(run_directory), str(launch.output), 0.1, list(launch.command))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-IS",
        host_supervisor.__file__,
        str(run_directory),
        stdin=subprocess.PIPE,
        stdout=write_end,
        env={**launch.environment, MARKER: str(run_directory)},
    )
    os.close(write_end)
    await process.communicate(order.to_text().encode())
    await eventually(lambda: (run_directory / "lock").exists() and list_marked(str(run_directory)) == [])
