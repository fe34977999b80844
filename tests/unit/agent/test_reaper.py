"""Process 1's duties, in real processes; in a PID namespace of its own where the machine allows one."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

REAPER = (
    "from genba_agent.reaper import fork_below_reaper\nstatus = fork_below_reaper()\nimport os, signal, sys, time\n"
)


def run(program: str, *prefix: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in both processes behind the fork; `before` runs in front of it."""
    command = [*prefix, sys.executable, "-c", before + REAPER + program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_exit_status_of_the_agent_is_passed_up() -> None:
    assert run("sys.exit(7 if status is None else status)").returncode == 7


def test_death_by_signal_is_passed_up() -> None:
    assert run("os.kill(os.getpid(), signal.SIGKILL) if status is None else sys.exit(status)").returncode == 128 + 9


def test_signals_are_passed_down() -> None:
    program = (
        "if status is None:\n"
        # Blocked while the child asks, so that it can't come before somebody waits for it.
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "    os.kill(os.getppid(), signal.SIGTERM)\n"
        "    sys.exit(3 if signal.sigtimedwait([signal.SIGTERM], 20) else 4)\n"
        "sys.exit(status)\n"
    )
    assert run(program).returncode == 3


def test_signal_that_comes_before_the_parent_listens_is_passed_down() -> None:
    # The parent is held up behind the fork until the child has sent the signal.
    before = (
        "import os, signal\n"
        "fork, parent = os.fork, os.getpid()\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n"
        "def fork_and_wait():\n"
        "    child = fork()\n"
        "    if child:\n"
        "        signal.sigwait([signal.SIGUSR2])\n"
        "    return child\n"
        "os.fork = fork_and_wait\n"
    )
    program = (
        "if status is None:\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "    os.kill(parent, signal.SIGTERM)\n"
        "    os.kill(parent, signal.SIGUSR2)\n"
        "    sys.exit(3 if signal.sigtimedwait([signal.SIGTERM], 20) else 4)\n"
        "sys.exit(status)\n"
    )
    assert run(program, before=before).returncode == 3


def test_signals_are_unblocked_afterwards() -> None:
    program = (
        "blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
        "if status is None:\n"
        "    sys.exit(len(blocked))\n"
        "sys.exit(status + len(blocked))\n"
    )
    assert run(program).returncode == 0


def test_orphans_are_collected() -> None:
    unshare = shutil.which("unshare")
    namespace = [unshare or "", "-fp", "--mount-proc", "--kill-child"]
    if unshare is None or subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine allows no PID namespaces")
    program = (
        "import subprocess\n"
        "if status is None:\n"
        "    orphan = int(subprocess.check_output(['sh', '-c', 'sleep 0 >/dev/null & echo $!']))\n"
        "    deadline = time.monotonic() + 20\n"
        "    while os.path.exists(f'/proc/{orphan}') and time.monotonic() < deadline:\n"
        "        time.sleep(0.01)\n"
        "    sys.exit(1 if os.path.exists(f'/proc/{orphan}') else 5)\n"
        "sys.exit(status)\n"
    )
    assert run(program, *namespace).returncode == 5
