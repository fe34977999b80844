"""Starts and ends the supervised agents of host workspaces. Linux only."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from genba_gateway.provider import host_runs, host_supervisor
from genba_gateway.provider.context import CancelNotice
from genba_gateway.provider.host_runs import find_lock_holder
from genba_gateway.provider.host_supervisor import GIVE_UP_AFTER_S, KILL_AFTER_S

# A busy machine may need a while to start a Python; an order that isn't taken by then is given up.
START_TIMEOUT_S = 30.0


class StartError(Exception):
    """The supervisor says why it could not start the agent."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run and where; the environment holds paths to secrets, no secrets."""

    run_directory: Path
    command: tuple[str, ...]
    cwd: Path
    output: Path
    grace_s: float
    environment: Mapping[str, str] = field(repr=False)


def start_agent(launch: Launch) -> int:
    """Start an agent under a supervisor of its own; blocks until it runs; gives the supervisor's pid.

    Raises:
        StartError: it doesn't run; nothing of it is left.
    """
    order = host_supervisor.Order(str(launch.cwd), str(launch.output), launch.grace_s, list(launch.command))
    program = [sys.executable, "-IS", host_supervisor.__file__, str(launch.run_directory)]
    with subprocess.Popen(
        program,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**launch.environment, host_supervisor.MARKER: str(launch.run_directory)},
        cwd="/",
        start_new_session=True,
    ) as launcher:
        try:
            answer, _ = launcher.communicate(order.to_text().encode(), timeout=START_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            launcher.kill()
            end_marked(launch.run_directory)
            raise StartError(f"no answer within {START_TIMEOUT_S:.0f} s") from error
    word, _, rest = answer.decode(errors="replace").strip().partition(" ")
    if word != "ready":
        raise StartError(rest or "the supervisor ended without an answer")
    return int(rest)


async def stop_agent(run_directory: Path, grace_s: float, cancel: CancelNotice | None = None) -> list[int]:
    """End the agent of a run directory and everything it started; gives the pids of what can't be ended.

    The supervisor does it, with the grace it was started with; `grace_s` says how long that is. Should the
    supervisor be gone or not manage, the processes are found by their marker. `cancel` cuts the grace short.
    """
    supervisor = await asyncio.to_thread(_open_supervisor, run_directory)
    if supervisor is not None:
        try:
            signal.pidfd_send_signal(supervisor, signal.SIGTERM)
            if not await _wait_for_exit(supervisor, grace_s + KILL_AFTER_S + GIVE_UP_AFTER_S, cancel):
                signal.pidfd_send_signal(supervisor, signal.SIGKILL)
        except ProcessLookupError:
            pass
        finally:
            os.close(supervisor)
    return await asyncio.to_thread(end_marked, run_directory)


def end_marked(directory: Path) -> list[int]:
    """End all processes whose marker is `directory` or below it; gives the pids of those that stay."""
    began_at = time.monotonic()
    number = signal.SIGTERM
    while True:
        with ExitStack() as stack:
            found = _open_marked(directory, stack)
            waited_s = time.monotonic() - began_at
            if not found or waited_s >= GIVE_UP_AFTER_S:
                return sorted(found)
            for pidfd in found.values():
                _send(pidfd, number)
            _wait_for_all(list(found.values()), KILL_AFTER_S)
        number = signal.SIGKILL


def _open_supervisor(run_directory: Path) -> int | None:
    """Open the lock holder, so that its pid can't become another process's meanwhile."""
    while True:
        pid = find_lock_holder(str(run_directory))
        if pid is None:
            return None
        try:
            opened = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if find_lock_holder(str(run_directory)) == pid:
            return opened
        os.close(opened)


async def _wait_for_exit(pidfd: int, timeout_s: float, cancel: CancelNotice | None) -> bool:
    exited = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pidfd, exited.set)
    try:
        async with asyncio.TaskGroup() as group:
            hurry = group.create_task(_hurry_when_cancelled(pidfd, cancel), name="hurry supervisor")
            try:
                async with asyncio.timeout(timeout_s):
                    await exited.wait()
            except TimeoutError:
                return False
            finally:
                hurry.cancel()
    finally:
        loop.remove_reader(pidfd)
    return True


async def _hurry_when_cancelled(pidfd: int, cancel: CancelNotice | None) -> None:
    if cancel is not None:
        await cancel.wait()
        _send(pidfd, signal.SIGTERM)


def _open_marked(directory: Path, stack: ExitStack) -> dict[int, int]:
    """Open the marked processes: pid to descriptor, closed with `stack`."""
    found: dict[int, int] = {}
    for pid in host_runs.list_marked(str(directory)):
        try:
            opened = os.pidfd_open(pid)
        except OSError:
            continue
        stack.callback(os.close, opened)
        # Look again: the pid may have passed to another process before it was opened.
        if host_runs.is_marked(pid, str(directory)):
            found[pid] = opened
    return found


def _wait_for_all(pidfds: list[int], timeout_s: float) -> None:
    ends_at = time.monotonic() + timeout_s
    poll = select.poll()
    for each in pidfds:
        poll.register(each, select.POLLIN)
    left = len(pidfds)
    while left and (remaining_s := ends_at - time.monotonic()) > 0:
        for descriptor, _ in poll.poll(remaining_s * 1000):
            poll.unregister(descriptor)
            left -= 1


def _send(pidfd: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(pidfd, number)
    except (ProcessLookupError, PermissionError):
        return
