"""The file behind a log spool: JSON lines, each an array that begins with its kind.

    ["spool", boot id, next number]             first line
    ["line", source id, time, level, output]    a line came
    ["batch", source id, count]                 that source's first waiting lines went in flight
    ["ack"]                                     the batch in flight was acknowledged

It is written with plain `write` calls, in the event loop: the page cache outlives our process, which is what is
promised, and costs microseconds; fsync would cost milliseconds a line. A power cut may lose the last seconds.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

logger = logging.getLogger(__name__)

SUFFIX: Final = ".journal"

_READ_BYTES: Final = 256 * 1024


class HeadRecord(msgspec.Struct, array_like=True, tag="spool"):
    """Whose journal it is."""

    boot_id: str
    next_number: int


class LineRecord(msgspec.Struct, array_like=True, tag="line"):
    """A line came."""

    source_id: str
    created_at: datetime
    level: str
    output: str


class BatchRecord(msgspec.Struct, array_like=True, tag="batch"):
    """A batch went in flight."""

    source_id: str
    count: int


class AckRecord(msgspec.Struct, array_like=True, tag="ack"):
    """The batch in flight was acknowledged."""


Record = HeadRecord | LineRecord | BatchRecord | AckRecord

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_encoder = msgspec.json.Encoder()


class Journal:
    """An open journal, locked for this process.

    After a failed write it is damaged: half a record may stand at its end, so nothing behind it could be read back.
    Nothing is written then until `rewrite` succeeds.
    """

    def __init__(self, path: Path, fd: int, is_damaged: bool = False) -> None:
        self.path = path
        self._fd = fd
        self.size_bytes = os.fstat(fd).st_size
        self.is_damaged = is_damaged

    def write(self, record: Record) -> bool:
        """Append a record; returns whether it stands there."""
        if self.is_damaged:
            return False
        data = _encoder.encode(record) + b"\n"
        try:
            _write_all(self._fd, data)
        except OSError as error:
            self.is_damaged = True
            logger.warning("Can't write %s: %s. Log lines are kept in memory only.", self.path, error)
            return False
        self.size_bytes += len(data)
        return True

    def rewrite(self, records: list[Record]) -> None:
        """Replace the content; when that fails, everything stays as it was."""
        temporary = self.path.with_suffix(".tmp")
        content = b"".join(_encoder.encode(record) + b"\n" for record in records)
        try:
            fd = _open_locked(temporary, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND)
        except OSError:
            return
        try:
            _write_all(fd, content)
            temporary.replace(self.path)
        except OSError:
            os.close(fd)
            return
        os.close(self._fd)
        self._fd = fd
        self.size_bytes = len(content)
        self.is_damaged = False

    def read(self, offset: int = 0) -> Iterator[tuple[int, Record]]:
        """Read whole records from an offset on; yields each with the offset behind it.

        Raises:
            msgspec.MsgspecError: what stands there is no record.
        """
        rest = b""
        while data := os.pread(self._fd, _READ_BYTES, offset + len(rest)):
            *encoded_records, rest = (rest + data).split(b"\n")
            for encoded in encoded_records:
                offset += len(encoded) + 1
                yield offset, _decoder.decode(encoded)

    def empty(self) -> None:
        """Throw away what stands in a damaged journal, where it can't be rewritten: all of it was acknowledged."""
        with suppress(OSError):
            self.truncate(0)

    def truncate(self, size_bytes: int) -> None:
        """Cut off what stands behind the last good record."""
        os.ftruncate(self._fd, size_bytes)
        self.size_bytes = size_bytes

    def close(self) -> None:
        """Close it and leave it for the next process."""
        os.close(self._fd)

    def discard(self) -> None:
        """Close and remove it."""
        self.path.unlink(missing_ok=True)
        os.close(self._fd)


def create_journal(path: Path, head: HeadRecord) -> Journal:
    """Start a journal; one that can't be written is damaged from the beginning."""
    try:
        fd = _open_locked(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_APPEND)
    except OSError as error:
        logger.warning("Can't write %s: %s. Log lines are kept in memory only.", path, error)
        return Journal(path, os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), is_damaged=True)
    journal = Journal(path, fd)
    journal.write(head)
    return journal


def open_journal(path: Path) -> Journal | None:
    """Open a dead process's journal; None when its process is alive, or it is gone."""
    try:
        return Journal(path, _open_locked(path, os.O_RDWR | os.O_APPEND))
    except OSError:
        return None


def _open_locked(path: Path, flags: int) -> int:
    """Open a file for our process alone; raises OSError when another one has it."""
    fd = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
