from __future__ import annotations

import os
import signal
import subprocess

from genba_agent.terminals.session_members import kill_members, list_members, signal_members


def start(script: str) -> subprocess.Popen[str]:
    """A session's leader that has said a line."""
    leader = subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert leader.stdout is not None
    assert leader.stdout.readline() == "ready\n"
    return leader


def test_all_that_lives_in_a_session_is_found_and_killed() -> None:
    leader = start("trap '' HUP; sleep 1000 & sleep 1000 & echo ready; wait")
    assert leader.stdout is not None
    members = list_members(leader.pid)
    assert leader.pid in members
    assert len(members) == 3
    kill_members(leader.pid)
    # The pipe ends when the last of them gives it up.
    assert leader.stdout.read() == ""
    assert leader.wait() == -9
    leader.stdout.close()


def test_signal_reaches_background_processes_too() -> None:
    leader = start("sleep 1000 & sleep 1000 & echo ready; wait")
    assert leader.stdout is not None
    signal_members(leader.pid, signal.SIGHUP)
    assert leader.stdout.read() == ""
    assert leader.wait() == -signal.SIGHUP
    leader.stdout.close()


def test_zombie_does_not_live() -> None:
    leader = start("echo ready")
    assert leader.stdout is not None
    assert leader.stdout.read() == ""
    leader.stdout.close()
    os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
    assert list_members(leader.pid) == []
    assert leader.wait() == 0
