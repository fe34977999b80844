"""The log queue with a journal on disk, so that lines outlive the agent's process.

Replaying the journal through `LogQueue` gives the queue as it was, with the batch in flight and its numbers.

Memory holds the oldest waiting lines only; behind `MAX_LINES_IN_MEMORY`, lines stay in the journal ("spilled") until
their turn comes. A batch is formed from lines in memory, and the journal says how many it took; as those are the
oldest ones, a replay, which has all lines in memory, takes the same.

A damaged journal (log_journal) hears of no batch any more, so a replay would form others than those that were sent, of
the same lines under the same numbers, and the gateway would take them for those that it has. Batches that it does not
hear of therefore leave under a fresh boot id. When the process is killed then, the next one sends what stands in the
journal once more: lines may come twice, but none is lost.

Each process opens a journal of its own under a fresh boot id, so that a journal which lost its end to a power cut never
gives a number twice. Journals of dead processes are read, sent and removed; a lock shows whose process is alive.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from genba_agent.log_journal import (
    SUFFIX,
    AckRecord,
    BatchRecord,
    HeadRecord,
    Journal,
    LineRecord,
    Record,
    create_journal,
    open_journal,
)
from genba_agent.log_queue import MAX_BATCH_LINES, MAX_WAITING_BYTES, LogBatch, LogQueue, QueuedLine

logger = logging.getLogger(__name__)

COMPACT_ABOVE_BYTES: Final = 1024 * 1024
"""A journal with more than this is rewritten without what was acknowledged."""

MAX_LINES_IN_MEMORY: Final = 4 * MAX_BATCH_LINES
"""A line of two bytes costs some 300 in memory, so that what the gateway stores in all could be 100 MB here."""


class LogSpool:
    """A log queue and its journal. `close` it, or `discard` it when it is empty or worthless."""

    def __init__(self, journal: Journal, boot_id: str, queue: LogQueue) -> None:
        self._journal = journal
        self._queue = queue
        self._spilled_lines = 0
        self._spilled_bytes = 0
        self._spilled_from = 0
        self._is_full = False
        self._journal_boot_id = boot_id
        self.boot_id = boot_id
        self.has_lines = asyncio.Event()
        self.is_delivered = asyncio.Event()
        self._show_state()

    @property
    def path(self) -> Path:
        return self._journal.path

    @property
    def lines_in_memory(self) -> int:
        """How many lines wait in memory."""
        return self._queue.waiting_lines

    def append(self, line: QueuedLine) -> None:
        """Keep a line until it is acknowledged. What could never be stored (log_queue) is dropped."""
        if self._queue.waiting_bytes + self._spilled_bytes + line.size_bytes > MAX_WAITING_BYTES:
            if not self._is_full:
                logger.warning("More output waits than the gateway stores of an agent; dropping what is above.")
            self._is_full = True
            return
        offset = self._journal.size_bytes
        is_written = self._journal.write(_record_of(line))
        if is_written and (self._spilled_lines or self._queue.waiting_lines >= MAX_LINES_IN_MEMORY):
            if not self._spilled_lines:
                self._spilled_from = offset
            self._spilled_lines += 1
            self._spilled_bytes += line.size_bytes
            return
        if self._spilled_lines:
            # The journal takes no more: what stands in it comes first, the rest queues up behind it.
            self._load_spilled(self._spilled_lines)
        self._queue.append(line)
        self._show_state()

    def form_batch(self) -> LogBatch | None:
        """Return the batch to send, the same one until it is acknowledged; None when nothing waits.

        It leaves under `boot_id`, which may be another one for each batch.
        """
        if self._queue.in_flight is not None:
            return self._queue.in_flight
        if self._spilled_lines and self._queue.waiting_lines < MAX_BATCH_LINES:
            self._load_spilled(MAX_LINES_IN_MEMORY - self._queue.waiting_lines)
        batch = self._queue.form_batch()
        if batch is None or self._journal.write(BatchRecord(batch.source_id, len(batch.lines))):
            return batch
        if self.boot_id == self._journal_boot_id:
            self.boot_id = str(uuid.uuid4())
            self._queue.renumber()
        return self._queue.in_flight

    def acknowledge(self) -> None:
        """The batch in flight needs no more sending."""
        self._queue.acknowledge()
        self._is_full = False
        self._journal.write(AckRecord())
        if not self._spilled_lines and (self._journal.is_damaged or self._journal.size_bytes > COMPACT_ABOVE_BYTES):
            self._rewrite_journal()
        self._show_state()

    def close(self) -> None:
        """Close the journal and leave it for the next process."""
        self._journal.close()

    def discard(self) -> None:
        """Close and remove the journal."""
        self._journal.discard()

    def _rewrite_journal(self) -> None:
        head = HeadRecord(self.boot_id, self._queue.next_number)
        self._journal.rewrite([head, *map(_record_of, self._queue.list_waiting())])
        if not self._journal.is_damaged:
            self._journal_boot_id = self.boot_id
        elif self._queue.is_empty:
            self._journal.empty()

    def _load_spilled(self, count: int) -> None:
        """Bring the oldest spilled lines into memory."""
        try:
            for offset, record in self._journal.read(self._spilled_from):
                self._spilled_from = offset
                if isinstance(record, LineRecord):
                    line = _line_of(record)
                    self._queue.append(line)
                    self._spilled_lines -= 1
                    self._spilled_bytes -= line.size_bytes
                    count -= 1
                if count == 0 or self._spilled_lines == 0:
                    return
        except (OSError, msgspec.MsgspecError) as error:
            logger.error("%s can't be read back, %d log lines are lost: %s", self.path, self._spilled_lines, error)
        self._spilled_lines = self._spilled_bytes = 0

    def _show_state(self) -> None:
        is_delivered = self._queue.is_empty and not self._spilled_lines
        for event, is_true in ((self.has_lines, not is_delivered), (self.is_delivered, is_delivered)):
            if is_true:
                event.set()
            else:
                event.clear()


def create_spool(folder: Path) -> LogSpool:
    """Start a journal under a fresh boot id; in memory alone as long as the folder can't be written."""
    boot_id = str(uuid.uuid4())
    return LogSpool(create_journal(folder / f"{boot_id}{SUFFIX}", HeadRecord(boot_id, 0)), boot_id, LogQueue())


def recover_spools(folder: Path) -> list[LogSpool]:
    """Open the journals that dead processes left, oldest first; those without waiting lines are removed."""
    spools: list[LogSpool] = []
    for path in sorted(folder.glob(f"*{SUFFIX}"), key=_modified_at):
        journal = open_journal(path)
        if journal is None:
            continue
        # A rewrite that was cut short.
        path.with_suffix(".tmp").unlink(missing_ok=True)
        spool = _replay(journal)
        if spool is None or spool.is_delivered.is_set():
            journal.discard()
        else:
            spools.append(spool)
    return spools


def remove_foreign_spools(own_folder: Path) -> None:
    """Remove the spools of this workspace's earlier builds: their agents' tokens are void, so nobody can send them."""
    for folder in own_folder.parent.glob("*"):
        if folder == own_folder or not folder.is_dir():
            continue
        for spool in recover_spools(folder):
            spool.discard()
        # Not empty when an agent of that build is still at work.
        with suppress(OSError):
            folder.rmdir()


def _replay(journal: Journal) -> LogSpool | None:
    """Read a journal up to its end, or up to the record that a killed process left unfinished."""
    boot_id, queue = "", LogQueue()
    end = 0
    try:
        for offset, record in journal.read():
            match record:
                case HeadRecord():
                    boot_id, queue = record.boot_id, LogQueue(record.next_number)
                case LineRecord():
                    queue.append(_line_of(record))
                case BatchRecord():
                    queue.take_batch(record.source_id, record.count)
                case AckRecord():
                    queue.acknowledge()
            end = offset
    except (OSError, LookupError, msgspec.MsgspecError):
        logger.warning("%s is damaged after %d bytes; the lines before that are sent.", journal.path, end)
    journal.truncate(end)
    return LogSpool(journal, boot_id, queue) if boot_id else None


def _record_of(line: QueuedLine) -> Record:
    return LineRecord(line.source_id, line.created_at, line.level, line.output)


def _line_of(record: LineRecord) -> QueuedLine:
    return QueuedLine(record.source_id, record.created_at, record.level, record.output)


def _modified_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
