from __future__ import annotations

from pathlib import Path

import pytest

from genba_agent.files import disk


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", b"/home/kim"),
        ("~", b"/home/kim"),
        ("~/a", b"/home/kim/a"),
        ("a/b", b"/home/kim/a/b"),
        ("/etc", b"/etc"),
        ("a\0ff", b"/home/kim/a\xff"),
    ],
)
def test_paths_are_absolute_or_below_the_home_folder(monkeypatch: pytest.MonkeyPatch, path: str, found: bytes) -> None:
    monkeypatch.setenv("HOME", "/home/kim")
    assert disk.locate(path) == found


def test_link_is_told_from_what_is_behind_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    link = bytes(tmp_path / "link")
    assert disk.describe(link).type == "directory"
    found = disk.describe(link, follows=False)
    assert (found.type, found.target) == ("link", str(tmp_path))


def test_deleting_a_link_to_a_folder_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "kept").touch()
    (tmp_path / "link").symlink_to("folder")
    disk.delete(bytes(tmp_path / "link"))
    assert (tmp_path / "folder" / "kept").exists()
    disk.delete(bytes(tmp_path / "folder"))
    assert list(tmp_path.iterdir()) == []


def test_link_takes_the_place_of_a_link_only(tmp_path: Path) -> None:
    path = tmp_path / "here"
    disk.make_link(bytes(path), b"one")
    disk.make_link(bytes(path), b"two")
    assert path.readlink() == Path("two")
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        disk.make_link(bytes(tmp_path / "file"), b"one")
