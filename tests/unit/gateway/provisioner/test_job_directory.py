from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.job_directory import JobDirectory, check_id


@pytest.fixture
def directory(tmp_path: Path) -> JobDirectory:
    created = JobDirectory(tmp_path / "jobs" / "j1", "j1")
    created.create()
    return created


def state(serial: int) -> bytes:
    return json.dumps({"version": 4, "serial": serial, "resources": []}).encode()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_we_may_look_inside(directory: JobDirectory) -> None:
    directory.write_private(directory.state_path, b"secret")

    assert {mode(path) for path in (directory.root, directory.root.parent, directory.source)} == {0o700}
    assert mode(directory.state_path) == 0o600


def test_second_job_of_the_same_id_is_refused(directory: JobDirectory) -> None:
    with pytest.raises(ProvisionError, match="has a directory already"):
        directory.create()


@pytest.mark.parametrize("identifier", ["", ".", "..", "a/b", ".hidden", "x" * 101, "a\n", "ü"])
def test_ids_that_are_no_names_are_refused(identifier: str) -> None:
    with pytest.raises(ProvisionError, match="can't be the name of a directory"):
        check_id(identifier)


def test_state_is_none_until_there_is_one(directory: JobDirectory) -> None:
    assert directory.read_state() is None


def test_half_written_state_gives_way_to_the_backup(directory: JobDirectory) -> None:
    directory.state_path.write_bytes(state(3)[:-5])
    (directory.source / "terraform.tfstate.backup").write_bytes(state(2))

    assert directory.read_state() == state(2)


def test_state_saved_elsewhere_is_taken_when_newer(directory: JobDirectory) -> None:
    directory.state_path.write_bytes(state(3))
    (directory.source / "errored.tfstate").write_bytes(state(4))

    assert directory.read_state() == state(4)


def test_state_of_an_unknown_form_is_kept_as_it_is(directory: JobDirectory) -> None:
    directory.state_path.write_bytes(b'{"version": 99}')

    assert directory.read_state() == b'{"version": 99}'


def test_link_in_place_of_the_state_is_not_followed(directory: JobDirectory, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(state(9))
    directory.state_path.symlink_to(tmp_path / "elsewhere")

    assert directory.read_state() is None


def test_remove_twice_is_no_error(directory: JobDirectory) -> None:
    directory.remove()
    directory.remove()

    assert not directory.root.exists()
