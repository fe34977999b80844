"""A host workspace's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_gateway.provider.genba.folders import WorkspaceFolder, remove_tree


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "-a", "a\n", "x" * 65])
def test_id_that_is_no_folder_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no workspace id"):
        WorkspaceFolder.below(tmp_path, name)


def test_folder_is_the_same_however_the_root_is_spelled(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert WorkspaceFolder.below(tmp_path / "link", "w") == WorkspaceFolder.below(tmp_path / "real", "w")


def test_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    folder = WorkspaceFolder.below(tmp_path, "w")
    folder.home.mkdir(parents=True)
    folder.remove()
    assert folder.home.is_dir()


def test_removal_leaves_nothing_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    folder = WorkspaceFolder.below(tmp_path / "root", "w")
    folder.make()
    folder.home.mkdir()
    (folder.home / "link").symlink_to(outside)
    folder.remove()
    assert not folder.path.exists()
    assert (outside / "precious").exists()
    folder.remove()


def test_tree_without_write_permission_is_removed(tmp_path: Path) -> None:
    deep = tmp_path / "go" / "pkg" / "mod"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    for each in (deep, deep.parent):
        each.chmod(0o500)
    remove_tree(tmp_path / "go")
    assert not (tmp_path / "go").exists()


def test_missing_tree_is_fine(tmp_path: Path) -> None:
    remove_tree(tmp_path / "missing")
