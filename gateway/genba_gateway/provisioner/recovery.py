"""Ends what a gateway that died left of a job, so that its state can be read. Blocking: call it in a thread.

Terraform gets its one SIGINT (unless it had it already) while its output pipes are emptied, so that it can
finish writing its state; then everything of its sessions and everything with the job's mark is killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from pathlib import Path

from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.sessions import (
    POLL_S,
    ProcessRecord,
    has_mark,
    is_running,
    kill_until_gone,
    marked_processes,
    read_record,
    session_members,
    write_record,
)

# Terraform ends within milliseconds of a SIGINT unless a foreign provider is in the middle of something. The
# gateway waits for this at its start, so it is shorter than for a cancel by a user.
RECOVERY_GRACE_S = 15.0

_logger = logging.getLogger(__name__)


def end_processes(directory: JobDirectory) -> None:
    """End every process of the job and wait for it."""
    sessions = sorted(directory.sessions.iterdir()) if directory.sessions.is_dir() else []
    for session in sessions:
        record = read_record(session)
        if record is not None:
            _end_session(session, record, directory.job_id)
    if sessions:
        # Only a job whose Terraform was running when the gateway died: after a complete build, processes with
        # the mark are the workspace itself.
        _report(directory.job_id, kill_until_gone(lambda: marked_processes(directory.job_id)))


def _end_session(session: Path, record: ProcessRecord, job_id: str) -> None:
    if is_running(record):
        _end_terraform(session, record)
        _report(job_id, kill_until_gone(lambda: session_members(record.pid)))
    else:
        # Without its leader, the session's number may be another's by now, so the mark decides.
        _report(job_id, kill_until_gone(lambda: [pid for pid in session_members(record.pid) if has_mark(pid, job_id)]))


def _end_terraform(session: Path, record: ProcessRecord) -> None:
    with contextlib.ExitStack() as stack:
        pipes = [pipe for name in ("stdout", "stderr") if (pipe := _open_pipe(session / name, stack)) is not None]
        if not record.is_interrupted:
            record.is_interrupted = True
            write_record(session, record)
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGINT)
        deadline = time.monotonic() + RECOVERY_GRACE_S
        while is_running(record) and time.monotonic() < deadline:
            _empty_pipes(pipes)
            time.sleep(POLL_S)
    if is_running(record):
        _report(record.pid, kill_until_gone(lambda: [record.pid] if is_running(record) else []))


def _open_pipe(path: Path, stack: contextlib.ExitStack) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    stack.callback(os.close, descriptor)
    return descriptor


def _empty_pipes(pipes: list[int]) -> None:
    for pipe in pipes:
        with contextlib.suppress(BlockingIOError):
            while os.read(pipe, 65536):
                pass


def _report(owner: object, left: list[int]) -> None:
    if left:
        _logger.error("processes of %s could not be ended: %s", owner, left)
