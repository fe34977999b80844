"""What a dead gateway left, made by hand: a process, its record and its pipes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genba_gateway.provisioner import recovery
from genba_gateway.provisioner.environment import JOB_MARKER
from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.recovery import end_processes
from genba_gateway.provisioner.sessions import (
    ProcessRecord,
    kill_until_gone,
    marked_processes,
    session_members,
    start_mark,
    write_record,
)

# Fills its pipe and blocks there; an interrupt makes it note so and end.
TALKATIVE = """
trap 'echo interrupted >>"$NOTES"; exit 1' INT
setsid sleep 1000 >/dev/null 2>&1 </dev/null &
sleep 1000 >/dev/null 2>&1 </dev/null &
echo ready >>"$NOTES"
while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done
"""


@pytest.fixture
def directory(tmp_path: Path) -> JobDirectory:
    created = JobDirectory(tmp_path / "job", "job-to-recover")
    created.create()
    return created


@contextmanager
def running(
    directory: JobDirectory, script: str, *, is_interrupted: bool = False
) -> Generator[subprocess.Popen[bytes]]:
    session = directory.sessions / "1"
    session.mkdir()
    for name in ("stdout", "stderr"):
        os.mkfifo(session / name)
    notes = directory.root / "notes"
    os.mkfifo(directory.root / "ready")
    stdout, stderr = (os.open(session / name, os.O_RDWR) for name in ("stdout", "stderr"))
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], JOB_MARKER: directory.job_id, "NOTES": str(notes)},
        )
    finally:
        os.close(stdout)
        os.close(stderr)
    write_record(session, ProcessRecord(process.pid, start_mark(process.pid), is_interrupted))
    try:
        while not notes.exists():
            assert process.poll() is None
        yield process
    finally:
        kill_until_gone(lambda: {*session_members(process.pid), *marked_processes(directory.job_id)})
        process.wait()


def notes_of(directory: JobDirectory) -> list[str]:
    return (directory.root / "notes").read_text().split()


def test_blocked_process_is_drained_interrupted_once_and_its_session_and_marks_killed(directory: JobDirectory) -> None:
    with running(directory, TALKATIVE) as process:
        assert len(marked_processes(directory.job_id)) >= 3

        end_processes(directory)

        assert process.wait() == 1
        assert notes_of(directory) == ["ready", "interrupted"]
        assert session_members(process.pid) == []
        assert marked_processes(directory.job_id) == []


def test_process_that_had_its_interrupt_gets_no_second_one(
    directory: JobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "RECOVERY_GRACE_S", 0.2)
    with running(directory, TALKATIVE, is_interrupted=True) as process:
        end_processes(directory)

        assert process.wait() == -9
        assert notes_of(directory) == ["ready"]


def test_process_of_another_start_is_left_alone(directory: JobDirectory) -> None:
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as innocent:
        session = directory.sessions / "1"
        session.mkdir()
        write_record(session, ProcessRecord(innocent.pid, "an earlier boot:1"))

        end_processes(directory)

        assert innocent.poll() is None
        innocent.kill()


def test_processes_of_a_complete_build_are_left_alone(directory: JobDirectory) -> None:
    environment = {**os.environ, JOB_MARKER: directory.job_id}
    with subprocess.Popen(["sleep", "1000"], env=environment) as workspace:
        end_processes(directory)

        assert workspace.poll() is None
        workspace.kill()


def test_job_that_never_started_a_process_is_no_problem(tmp_path: Path) -> None:
    end_processes(JobDirectory(tmp_path / "absent", "absent"))
