"""The journal, on a real disk. Tests are synchronous, as a spool's writes are (see log_spool's docstring)."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from genba_agent.log_queue import MAX_WAITING_BYTES, QueuedLine
from genba_agent.log_spool import (
    COMPACT_ABOVE_BYTES,
    MAX_LINES_IN_MEMORY,
    LogSpool,
    create_spool,
    recover_spools,
    remove_foreign_spools,
)


def make_line(output: str, source: str = "a") -> QueuedLine:
    return QueuedLine(source, datetime(2026, 1, 1, tzinfo=UTC), "info", output)


def outputs(spool: LogSpool) -> list[tuple[int, list[str]]]:
    """Send everything; returns first numbers and outputs of the batches."""
    batches: list[tuple[int, list[str]]] = []
    while (batch := spool.form_batch()) is not None:
        batches.append((batch.first_number, [line.output for line in batch.lines]))
        spool.acknowledge()
    return batches


def recover_one(folder: Path) -> LogSpool:
    (spool,) = recover_spools(folder)
    return spool


def test_restarted_process_finds_waiting_lines_and_the_batch_in_flight(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    spool.append(make_line("acknowledged"))
    spool.form_batch()
    spool.acknowledge()
    spool.append(make_line("in flight 1"))
    spool.append(make_line("waits", "b"))
    spool.append(make_line("in flight 2"))
    spool.form_batch()
    spool.append(make_line("waits, too"))
    spool.close()
    again = recover_one(tmp_path)
    assert again.boot_id == spool.boot_id
    assert outputs(again) == [(1, ["in flight 1", "in flight 2"]), (3, ["waits"]), (4, ["waits, too"])]
    again.discard()
    assert list(tmp_path.iterdir()) == []


def test_each_process_has_a_boot_id_of_its_own(tmp_path: Path) -> None:
    one, two = create_spool(tmp_path), create_spool(tmp_path)
    assert one.boot_id != two.boot_id
    one.discard()
    two.discard()


def test_journal_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    spool.append(make_line("mine"))
    assert recover_spools(tmp_path) == []
    spool.close()
    recover_one(tmp_path).close()


def test_delivered_journals_are_removed_at_recovery(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    spool.append(make_line("x"))
    outputs(spool)
    spool.close()
    assert recover_spools(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_record_that_a_kill_left_unfinished_is_cut_off(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    spool.append(make_line("whole"))
    spool.close()
    with spool.path.open("ab") as file:
        file.write(b'["line","a","2026-01-01T00:0')
    again = recover_one(tmp_path)
    again.append(make_line("next"))
    again.close()
    third = recover_one(tmp_path)
    assert outputs(third) == [(0, ["whole", "next"])]
    third.discard()


def test_rubbish_in_the_folder_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "rubbish.journal").write_bytes(b"\xff\xfe\n")
    (tmp_path / "empty.journal").touch()
    assert recover_spools(tmp_path) == []


def test_line_survives_a_sigkill_right_after_append(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from datetime import datetime, UTC\n"
        "from genba_agent.log_queue import QueuedLine\n"
        "from genba_agent.log_spool import create_spool\n"
        "spool = create_spool(Path(sys.argv[1]))\n"
        "for n in range(100):\n"
        "    spool.append(QueuedLine('a', datetime.now(UTC), 'info', str(n)))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -9
    spool = recover_one(tmp_path)
    assert outputs(spool) == [(0, [str(n) for n in range(100)])]
    spool.discard()


def test_journal_is_rewritten_when_it_is_long_and_keeps_its_numbers(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    count = COMPACT_ABOVE_BYTES // 60_000 + 1
    for _ in range(count):
        spool.append(make_line("x" * 60_000))
        spool.form_batch()
        spool.acknowledge()
    assert spool.path.stat().st_size < COMPACT_ABOVE_BYTES
    spool.append(make_line("last"))
    spool.close()
    again = recover_one(tmp_path)
    assert outputs(again) == [(count, ["last"])]
    again.discard()


def test_full_disk_costs_no_line_of_a_living_process(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    spool.append(make_line("before"))
    os.dup2(os.open("/dev/full", os.O_WRONLY), spool._journal._fd)  # pyright: ignore[reportPrivateUsage] (a disk that fills up)
    spool.append(make_line("during"))
    spool.append(make_line("after"))
    batch = spool.form_batch()
    assert batch is not None
    assert [line.output for line in batch.lines] == ["before", "during", "after"]
    spool.append(make_line("kept"))
    # The folder can be written again: the next acknowledgement writes the journal afresh.
    spool.acknowledge()
    spool.close()
    again = recover_one(tmp_path)
    assert outputs(again) == [(3, ["kept"])]
    again.discard()


@contextmanager
def full_disk(spool: LogSpool) -> Generator[None]:
    """Let writes fail half a record after the journal's end, and keep it from being rewritten."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    obstacle = spool.path.with_suffix(".tmp")
    obstacle.mkdir()
    resource.setrlimit(resource.RLIMIT_FSIZE, (spool.path.stat().st_size + 9, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        obstacle.rmdir()


class Store:
    """Keeps lines as the gateway does: each number of a boot id once, and none is left out (docs/protocol.md)."""

    def __init__(self) -> None:
        self.outputs: list[str] = []
        self._next_numbers: dict[str, int] = {}

    def take(self, spool: LogSpool) -> None:
        """Store a batch; the answer is lost."""
        batch = spool.form_batch()
        assert batch is not None
        for number, line in enumerate(batch.lines, batch.first_number):
            expected = self._next_numbers.get(spool.boot_id, 0)
            assert number <= expected
            if number == expected:
                self.outputs.append(line.output)
                self._next_numbers[spool.boot_id] = number + 1

    def take_all(self, spool: LogSpool) -> None:
        while spool.has_lines.is_set():
            self.take(spool)
            spool.acknowledge()


def test_batch_that_a_damaged_journal_missed_is_not_taken_for_the_next_process_batch(tmp_path: Path) -> None:
    store, spool = Store(), create_spool(tmp_path)
    spool.append(make_line("a1"))
    spool.append(make_line("b1", "b"))
    with full_disk(spool):
        spool.append(make_line("a2"))
        store.take(spool)
        spool.acknowledge()
        spool.close()
    assert store.outputs == ["a1", "a2"]
    again = recover_one(tmp_path)
    store.take_all(again)
    # a1 comes twice. b1, which has the number that a2 would have had, is not lost.
    assert store.outputs == ["a1", "a2", "a1", "b1"]
    again.discard()


def test_batch_whose_record_failed_leaves_under_a_fresh_boot_id(tmp_path: Path) -> None:
    store, spool = Store(), create_spool(tmp_path)
    spool.append(make_line("first"))
    store.take_all(spool)
    spool.append(make_line("second"))
    boot_id = spool.boot_id
    with full_disk(spool):
        batch = spool.form_batch()
        assert batch is not None
        assert (batch.first_number, spool.boot_id == boot_id) == (0, False)
        store.take_all(spool)
        for output in ("third", "fourth"):
            spool.append(make_line(output))
            store.take_all(spool)
        spool.close()
    # All that stood in the journal was delivered, so it was emptied.
    assert recover_spools(tmp_path) == []
    assert store.outputs == ["first", "second", "third", "fourth"]


def test_batch_in_flight_keeps_its_name_when_the_disk_fills_up(tmp_path: Path) -> None:
    store, spool = Store(), create_spool(tmp_path)
    spool.append(make_line("in flight"))
    store.take(spool)
    with full_disk(spool):
        spool.append(make_line("in memory"))
        store.take(spool)
        spool.acknowledge()
        spool.close()
    again = recover_one(tmp_path)
    store.take_all(again)
    assert store.outputs == ["in flight"]
    again.discard()


def test_numbers_are_never_given_twice_when_the_disk_fills_up_again(tmp_path: Path) -> None:
    store, spool = Store(), create_spool(tmp_path)
    boot_ids: set[str] = set()
    for round_ in range(3):
        with full_disk(spool):
            spool.append(make_line(f"memory {round_}"))
            store.take(spool)
            boot_ids.add(spool.boot_id)
        spool.append(make_line(f"disk {round_}"))
        # There is room again: the acknowledgement writes the journal afresh.
        spool.acknowledge()
        store.take_all(spool)
        boot_ids.add(spool.boot_id)
    assert store.outputs == [f"{place} {round_}" for round_ in range(3) for place in ("memory", "disk")]
    assert len(boot_ids) == 3
    spool.discard()


def test_lines_behind_those_in_memory_stay_on_disk_and_come_in_order(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    count = 3 * MAX_LINES_IN_MEMORY + 7
    for number in range(count):
        spool.append(make_line(str(number), "ab"[number % 2]))
    assert spool.lines_in_memory == MAX_LINES_IN_MEMORY
    received: dict[str, list[str]] = {"a": [], "b": []}
    while (batch := spool.form_batch()) is not None:
        received[batch.source_id] += [line.output for line in batch.lines]
        if count < 3 * MAX_LINES_IN_MEMORY + 1000:
            spool.append(make_line(str(count), "ab"[count % 2]))
            count += 1
        spool.acknowledge()
        assert spool.lines_in_memory <= MAX_LINES_IN_MEMORY
    assert received == {"a": [str(n) for n in range(0, count, 2)], "b": [str(n) for n in range(1, count, 2)]}
    assert spool.is_delivered.is_set()
    spool.discard()


def test_restarted_process_sends_the_batch_that_was_formed_while_lines_were_spilled(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    for number in range(2 * MAX_LINES_IN_MEMORY):
        spool.append(make_line(str(number), "ab"[number % 2]))
    for _ in range(5):
        spool.form_batch()
        spool.acknowledge()
    batch = spool.form_batch()
    spool.close()
    again = recover_one(tmp_path)
    assert again.form_batch() == batch
    again.discard()


def test_disk_that_fills_up_while_lines_are_spilled_costs_nothing(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    for number in range(MAX_LINES_IN_MEMORY + 5):
        spool.append(make_line(str(number)))
    spool._journal.is_damaged = True  # pyright: ignore[reportPrivateUsage] (what a failed write leaves)
    spool.append(make_line("last"))
    sent = [output for _, batch in outputs(spool) for output in batch]
    assert sent == [*(str(number) for number in range(MAX_LINES_IN_MEMORY + 5)), "last"]
    spool.discard()


def test_what_could_never_be_stored_is_dropped(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    spool.append(make_line("x" * (MAX_WAITING_BYTES - 1)))
    spool.append(make_line("xx"))
    spool.append(make_line("y"))
    assert [len(output) for _, batch in outputs(spool) for output in batch] == [MAX_WAITING_BYTES - 1, 1]
    spool.append(make_line("again"))
    assert outputs(spool) == [(2, ["again"])]
    spool.discard()


def test_spool_without_a_folder_works_in_memory(tmp_path: Path) -> None:
    spool = create_spool(tmp_path / "absent")
    spool.append(make_line("x"))
    assert outputs(spool) == [(0, ["x"])]
    spool.discard()


def test_events_tell_whether_lines_wait(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    assert (spool.has_lines.is_set(), spool.is_delivered.is_set()) == (False, True)
    spool.append(make_line("x"))
    spool.form_batch()
    assert (spool.has_lines.is_set(), spool.is_delivered.is_set()) == (True, False)
    spool.acknowledge()
    assert (spool.has_lines.is_set(), spool.is_delivered.is_set()) == (False, True)
    spool.discard()


def test_spools_of_earlier_builds_are_removed(tmp_path: Path) -> None:
    own, dead, alive = tmp_path / "own", tmp_path / "dead", tmp_path / "alive"
    for folder in (own, dead, alive):
        folder.mkdir()
    spools = {folder: create_spool(folder) for folder in (own, dead, alive)}
    for spool in spools.values():
        spool.append(make_line("x"))
    spools[own].close()
    spools[dead].close()
    remove_foreign_spools(own)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alive", "own"]
    recover_one(own).close()
    spools[alive].close()


def test_journal_is_private(tmp_path: Path) -> None:
    spool = create_spool(tmp_path)
    assert spool.path.stat().st_mode & 0o777 == 0o600
    spool.discard()
