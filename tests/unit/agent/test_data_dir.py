from __future__ import annotations

from pathlib import Path

import pytest

from genba_agent.data_dir import open_data_dir
from tests.support.agent_builders import make_manifest


def test_folders_are_private_and_found_again(tmp_path: Path) -> None:
    manifest = make_manifest()
    first = open_data_dir(tmp_path / "new", manifest)
    assert open_data_dir(tmp_path / "new", manifest) == first
    assert first.root.stat().st_mode & 0o777 == 0o700
    assert first.bin_dir.is_dir()
    assert first.spool_dir.is_dir()
    assert first.spool_dir.name == manifest.agent_id
    assert first.make_script_data_dir("../../etc").parent == first.root / "data"


def test_folder_that_others_can_read_is_closed(tmp_path: Path) -> None:
    root = open_data_dir(tmp_path, make_manifest()).root
    root.chmod(0o777)
    open_data_dir(tmp_path, make_manifest())
    assert root.stat().st_mode & 0o777 == 0o700


def test_symbolic_link_in_its_place_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name = open_data_dir(tmp_path / "a", make_manifest()).root.name
    target, shared = tmp_path / "target", tmp_path / "shared"
    target.mkdir()
    shared.mkdir()
    (shared / name).symlink_to(target)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data_dir = open_data_dir(shared, make_manifest())
    assert data_dir.root.parent == tmp_path
    assert data_dir.root.name.startswith("coder-script-data-")
    assert list(target.iterdir()) == []
    assert "belongs to somebody else" in caplog.text


def test_place_that_cannot_be_written_is_named_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert open_data_dir(tmp_path / "file", make_manifest()).bin_dir.is_dir()
    assert "CODER_AGENT_SCRIPT_DATA_DIR" in caplog.text
