"""Journals, on a real disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from genba_agent.log_journal import (
    AckRecord,
    BatchRecord,
    HeadRecord,
    Journal,
    LineRecord,
    Record,
    create_journal,
    open_journal,
)

RECORDS: list[Record] = [
    HeadRecord("boot", 7),
    LineRecord("a", datetime(2026, 1, 1, tzinfo=UTC), "info", "場\n"),
    BatchRecord("a", 1),
    AckRecord(),
]


def make_journal(folder: Path) -> Journal:
    journal = create_journal(folder / "x.journal", HeadRecord("boot", 7))
    for record in RECORDS[1:]:
        assert journal.write(record)
    return journal


def read_all(journal: Journal) -> list[Record]:
    return [record for _, record in journal.read()]


def test_records_come_back_with_the_offsets_behind_them(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    assert read_all(journal) == RECORDS
    offsets = [offset for offset, _ in journal.read()]
    assert offsets[-1] == journal.size_bytes == journal.path.stat().st_size
    assert [record for _, record in journal.read(offsets[1])] == RECORDS[2:]
    journal.discard()
    assert not journal.path.exists()


def test_journal_of_the_living_is_not_opened_and_an_absent_one_neither(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    assert open_journal(journal.path) is None
    assert open_journal(tmp_path / "absent") is None
    journal.close()
    again = open_journal(journal.path)
    assert again is not None
    assert read_all(again) == RECORDS
    again.close()


def test_journal_is_not_opened_through_a_link(tmp_path: Path) -> None:
    make_journal(tmp_path).close()
    (tmp_path / "link.journal").symlink_to(tmp_path / "x.journal")
    assert open_journal(tmp_path / "link.journal") is None


def test_rewritten_journal_is_the_same_one(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    journal.rewrite(RECORDS[:2])
    journal.write(AckRecord())
    assert read_all(journal) == [*RECORDS[:2], AckRecord()]
    assert [path.name for path in tmp_path.iterdir()] == ["x.journal"]
    assert open_journal(journal.path) is None
    journal.discard()


def test_rewrite_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    (tmp_path / "x.tmp").mkdir()
    journal.rewrite([])
    assert read_all(journal) == RECORDS
    journal.discard()


def test_damaged_journal_takes_nothing_until_it_is_rewritten(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    journal.is_damaged = True
    assert not journal.write(AckRecord())
    assert read_all(journal) == RECORDS
    journal.empty()
    assert (read_all(journal), journal.size_bytes, journal.is_damaged) == ([], 0, True)
    journal.rewrite(RECORDS[:1])
    assert journal.write(AckRecord())
    assert read_all(journal) == [RECORDS[0], AckRecord()]
    journal.discard()


def test_journal_without_a_folder_is_damaged_from_the_beginning(tmp_path: Path) -> None:
    journal = create_journal(tmp_path / "absent" / "x.journal", HeadRecord("boot", 0))
    assert journal.is_damaged
    assert not journal.write(AckRecord())
    journal.empty()
    journal.discard()


def test_rubbish_is_no_record_and_can_be_cut_off(tmp_path: Path) -> None:
    journal = make_journal(tmp_path)
    end = journal.size_bytes
    descriptor = os.open(journal.path, os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b'["what"]\n')
    os.close(descriptor)
    with pytest.raises(msgspec.MsgspecError):
        read_all(journal)
    journal.truncate(end)
    assert read_all(journal) == RECORDS
    journal.discard()
