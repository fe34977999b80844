from __future__ import annotations

import os
from pathlib import Path

import pytest

from genba_ide_bridge.sessions import local_files
from genba_wire.tunnel.files import FileStat


@pytest.mark.parametrize(
    ("name", "found"),
    [("a", "a"), ("..a", "..a"), ("", ""), (".", ""), ("..", ""), ("a/b", ""), ("a\0", ""), ("\0" + "2f", "")],
)
def test_name_that_would_lead_out_of_its_folder_is_none(name: str, found: str) -> None:
    assert local_files.local_name(name) == found


def test_another_content_has_another_part() -> None:
    names = {local_files.part_name("/a", 1, 2), local_files.part_name("/a", 1, 3), local_files.part_name("/a", 2, 2)}
    assert len(names) == 3
    assert all(len(name) == 32 for name in names)


def test_part_takes_the_place_of_a_link_and_not_of_what_is_behind_it(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("kept")
    (tmp_path / "target").symlink_to("real")
    (tmp_path / "part").write_text("came")
    found = FileStat(type="file", size=4, mode=0o4755, mtime_ns=1_000_000_000)
    local_files.finish_file(str(tmp_path / "part"), str(tmp_path / "target"), found)
    assert (tmp_path / "real").read_text() == "kept"
    assert (tmp_path / "target").read_text() == "came"
    # No other user's rights come from elsewhere.
    assert (tmp_path / "target").stat().st_mode & 0o7777 == 0o755


def test_folder_is_not_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    local_files.make_folder(str(tmp_path / "link"), True)
    with pytest.raises(FileExistsError):
        local_files.make_folder(str(tmp_path / "link"), False)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        local_files.make_folder(str(tmp_path / "file"), False)
    local_files.finish_folder(str(tmp_path), FileStat(type="directory", size=0, mode=0o555, mtime_ns=1_000_000_000))
    assert os.access(tmp_path, os.W_OK)
