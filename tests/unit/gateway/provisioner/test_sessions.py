from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genba_gateway.provisioner.environment import JOB_MARKER
from genba_gateway.provisioner.sessions import (
    ProcessRecord,
    has_mark,
    is_running,
    kill_until_gone,
    marked_processes,
    read_record,
    session_members,
    start_mark,
    write_record,
)

# Tests of other workers look for marked processes of the whole machine too.
JOB = f"job-of-test-{os.getpid()}"
WITH_CHILD = "import subprocess, sys; p = subprocess.Popen(['sleep', '1000']); print(p.pid, flush=True); p.wait()"


@pytest.fixture
def leader() -> Iterator[subprocess.Popen[str]]:
    """A process in a session of its own, with one child, both marked."""
    with subprocess.Popen(
        [sys.executable, "-c", WITH_CHILD],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, JOB_MARKER: JOB},
    ) as process:
        try:
            yield process
        finally:
            kill_until_gone(lambda: session_members(process.pid))


def child_of(leader: subprocess.Popen[str]) -> int:
    assert leader.stdout is not None
    return int(leader.stdout.readline())


def test_session_is_killed_whole(leader: subprocess.Popen[str]) -> None:
    child = child_of(leader)
    assert set(session_members(leader.pid)) == {leader.pid, child}

    assert kill_until_gone(lambda: session_members(leader.pid)) == []

    assert leader.wait() == -9
    assert session_members(leader.pid) == []


def test_marked_processes_are_found_by_their_environment(leader: subprocess.Popen[str]) -> None:
    child = child_of(leader)

    assert set(marked_processes(JOB)) == {leader.pid, child}
    assert marked_processes("another") == []
    assert not has_mark(os.getpid(), JOB)


def test_record_knows_its_own_process_only(leader: subprocess.Popen[str]) -> None:
    child_of(leader)
    record = ProcessRecord(leader.pid, start_mark(leader.pid))

    assert is_running(record)
    assert not is_running(ProcessRecord(leader.pid, "another boot:1"))
    leader.kill()
    leader.wait()
    assert not is_running(record)
    assert start_mark(leader.pid) == ""


def test_zombie_does_not_run(leader: subprocess.Popen[str]) -> None:
    child_of(leader)
    record = ProcessRecord(leader.pid, start_mark(leader.pid))
    leader.kill()
    os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)

    assert not is_running(record)
    assert leader.pid not in session_members(leader.pid)


def test_record_survives_writing_and_reading(tmp_path: Path) -> None:
    record = ProcessRecord(5, "boot:7", is_interrupted=True)

    write_record(tmp_path, record)

    assert read_record(tmp_path) == record


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]"])
def test_absent_or_damaged_record_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "process.json").write_bytes(content)

    assert read_record(tmp_path) is None


def test_own_process_is_never_killed() -> None:
    assert kill_until_gone(lambda: [os.getpid()]) == []
