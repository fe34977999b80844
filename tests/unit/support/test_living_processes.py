from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.living_processes import end_processes_of

WAITING = ("sh", "-c", "read word")


@pytest.fixture
def started() -> Generator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        with process:  # closes its pipes
            process.kill()


def test_what_has_a_path_of_the_folder_is_ended_with_its_children(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    inside = {**os.environ, "HOME": f"{tmp_path}/hosts/one/home"}
    by_home = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], env=inside, stdout=subprocess.PIPE)
    by_word = subprocess.Popen([*WAITING, f"{tmp_path}/hosts/one/run"], stdin=subprocess.PIPE)
    other = subprocess.Popen([*WAITING, f"{tmp_path}/hosts-of-others"], stdin=subprocess.PIPE)
    started += [by_home, by_word, other]
    assert by_home.stdout is not None
    child = int(by_home.stdout.readline())

    assert set(end_processes_of(tmp_path / "hosts")) == {by_home.pid, child, by_word.pid}
    assert other.poll() is None


def test_nothing_there_is_nothing_to_end(tmp_path: Path) -> None:
    assert end_processes_of(tmp_path) == []
