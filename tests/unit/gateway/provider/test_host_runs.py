from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from genba_gateway.provider.host_runs import find_lock_holder, is_marked, list_marked


def test_nobody_holds_a_lock_that_is_not_there_or_free(tmp_path: Path) -> None:
    assert find_lock_holder(str(tmp_path)) is None
    (tmp_path / "lock").touch()
    assert find_lock_holder(str(tmp_path)) is None


HOLDER = """
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_the_holder_of_a_lock_is_found(tmp_path: Path) -> None:
    command = [sys.executable, "-ISc", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert find_lock_holder(str(tmp_path)) == holder.pid
        holder.communicate()
    assert find_lock_holder(str(tmp_path)) is None


def test_processes_without_the_marker_are_not_taken(tmp_path: Path) -> None:
    assert list_marked(str(tmp_path)) == []
    assert not is_marked(os.getpid(), str(tmp_path))
    assert not is_marked(2**22 + 1, str(tmp_path))
