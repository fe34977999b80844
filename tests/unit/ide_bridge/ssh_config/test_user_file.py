"""A file of the user's that gets another content and nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.user_file import read_user_file, replace_user_file


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400, 0o664])
def test_the_mode_stays(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"old")
    path.chmod(mode)
    replace_user_file(path, b"old", b"new \xff\r\n")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new \xff\r\n", mode)
    assert os.listdir(tmp_path) == ["config"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_owner_stays(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"old")
    os.chown(path, 1234, 2345)
    replace_user_file(path, b"old", b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real, link = tmp_path / "dotfiles" / "config", tmp_path / "config"
    real.write_bytes(b"old")
    link.symlink_to(Path("dotfiles/config"))
    replace_user_file(link, b"old", b"new")
    assert (os.readlink(link), real.read_bytes()) == ("dotfiles/config", b"new")


def test_a_link_to_nothing_gets_its_file(tmp_path: Path) -> None:
    link = tmp_path / "config"
    link.symlink_to("real")
    assert read_user_file(link) is None
    replace_user_file(link, None, b"new")
    assert (link.is_symlink(), (tmp_path / "real").read_bytes()) == (True, b"new")
    replace_user_file(link, b"new", None)
    assert (link.is_symlink(), (tmp_path / "real").exists()) == (True, False)


def test_a_file_that_is_made_is_its_owners_alone(tmp_path: Path) -> None:
    replace_user_file(tmp_path / "config", None, b"new")
    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o600


@pytest.mark.parametrize("meanwhile", [b"other", None])
def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path, meanwhile: bytes | None) -> None:
    path = tmp_path / "config"
    if meanwhile is not None:
        path.write_bytes(meanwhile)
    with pytest.raises(BridgeError, match="meanwhile"):
        replace_user_file(path, b"old", b"new")
    assert read_user_file(path) == meanwhile


def test_what_is_no_file_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="not a file"):
        replace_user_file(tmp_path, None, b"new")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="Can't write"):
        replace_user_file(tmp_path / "none" / "config", None, b"new")
