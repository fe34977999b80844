from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from genba_gateway.errors import ConfigError
from genba_gateway.folders import MAX_RUNTIME_PATH_CHARS, prepare_folders


def test_all_folders_are_made_for_their_owner_only(short_dir: Path) -> None:
    data = short_dir / "deep" / "data"
    folders = prepare_folders(data)
    for folder in (folders.data, folders.provisioner, folders.host_workspaces, folders.runtime):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folders.database, folders.key_file) == (data / "genba.db", data / "encryption-keys")
    assert sorted(path.name for path in data.iterdir()) == ["hosts", "provisioner", "run"]
    assert prepare_folders(data) == folders


def test_sockets_get_a_folder_with_a_short_path(short_dir: Path) -> None:
    folders = prepare_folders(short_dir / ("x" * MAX_RUNTIME_PATH_CHARS))
    assert len(str(folders.runtime)) <= MAX_RUNTIME_PATH_CHARS
    assert stat.S_IMODE(folders.runtime.stat().st_mode) == 0o700
    shutil.rmtree(folders.runtime)


def test_a_folder_that_cannot_be_made_is_named(short_dir: Path) -> None:
    (short_dir / "file").touch()
    with pytest.raises(ConfigError, match="--data-dir"):
        prepare_folders(short_dir / "file" / "data")
