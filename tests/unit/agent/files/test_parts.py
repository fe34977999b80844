from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from genba_agent.files.parts import Part


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    path.chmod(0o640)
    part = Part(bytes(path))
    part.write(b"af")
    part.write(b"ter")
    assert path.read_text() == "before"
    part.commit(size=5, mtime_ns=1_000_000_007)
    part.close()
    assert path.read_text() == "after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_mtime_ns == 1_000_000_007
    assert names(tmp_path) == ["file"]


def test_new_file_gets_the_permissions_that_are_named(tmp_path: Path) -> None:
    part = Part(bytes(tmp_path / "tool"), mode=0o755)
    part.commit(size=None, mtime_ns=None)
    part.close()
    assert stat.S_IMODE((tmp_path / "tool").stat().st_mode) == 0o755


def test_file_that_was_given_up_leaves_nothing(tmp_path: Path) -> None:
    part = Part(bytes(tmp_path / "file"))
    part.write(b"half")
    with pytest.raises(ValueError, match="4 of 5 bytes"):
        part.commit(size=5, mtime_ns=None)
    part.close()
    assert names(tmp_path) == []


def test_named_part_is_gone_on_with(tmp_path: Path) -> None:
    path = bytes(tmp_path / "file")
    part = Part(path, name="abc")
    part.write(b"half")
    part.close()
    assert names(tmp_path) == [".file.genba-abc"]
    part = Part(path, name="abc")
    assert part.size == 4
    part.write(b" and half")
    part.commit(size=13, mtime_ns=None)
    part.close()
    assert (tmp_path / "file").read_text() == "half and half"
    assert names(tmp_path) == ["file"]


def test_named_part_that_is_too_long_is_of_no_use(tmp_path: Path) -> None:
    part = Part(bytes(tmp_path / "file"), name="abc")
    part.write(b"too long")
    with pytest.raises(ValueError, match="8 of 3 bytes"):
        part.commit(size=3, mtime_ns=None)
    part.close()
    assert names(tmp_path) == []


def test_link_to_a_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to("real")
    part = Part(bytes(tmp_path / "link"))
    part.write(b"after")
    part.commit(size=5, mtime_ns=None)
    part.close()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"


def test_longest_name_has_a_part_too(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    part = Part(bytes(path))
    part.commit(size=0, mtime_ns=None)
    part.close()
    assert path.exists()


def test_folder_and_planted_link_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        Part(bytes(tmp_path))
    (tmp_path / ".file.genba-abc").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        Part(bytes(tmp_path / "file"), name="abc")
    assert not os.path.lexists(tmp_path / "elsewhere")
