from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.machine_state import MachineState


def test_shares_of_the_processors_sum_up() -> None:
    state = MachineState()
    sum(range(5_000_000))  # some of the kernel's ticks of 10 ms
    line = state.describe().splitlines()[1]
    shares = [int(share) for share in re.findall(r"(\d+) %", line)]
    assert len(shares) == 8
    assert 96 <= sum(shares) <= 104
    assert re.search(r"load \d+\.\d \d+\.\d \d+\.\d$", line)


def test_a_failure_is_shown_with_it(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_holds(): pass\ndef test_fails(): assert 1 == 2\n")
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:xdist",
        "-p",
        "tests.conftest",
        f"--rootdir={tmp_path}",
        str(tmp_path),
    ]
    run = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "1 failed, 1 passed" in run.stdout, run.stdout + run.stderr
    assert run.stdout.count("the machine during the test") == 1
    assert "processors: user" in run.stdout
