"""Process 1's duties, in real processes; in a PID namespace of its own where the machine allows one."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

REAPER = (
    "from genba_agent.reaper import fork_below_reaper\nstatus = fork_below_reaper()\nimport os, signal, sys, time\n"
)


def run(program: str, *prefix: str) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-c", REAPER + program]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_exit_status_of_the_agent_is_passed_up() -> None:
    assert run("sys.exit(7 if status is None else status)").returncode == 7


def test_death_by_signal_is_passed_up() -> None:
    assert run("os.kill(os.getpid(), signal.SIGKILL) if status is None else sys.exit(status)").returncode == 128 + 9


def test_signals_are_passed_down() -> None:
    program = (
        "if status is None:\n"
        "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "    os.kill(os.getppid(), signal.SIGTERM)\n"
        "    signal.pause()\n"
        "sys.exit(status)\n"
    )
    assert run(program).returncode == 3


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
