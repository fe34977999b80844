"""The files behind /bin; their HTTP side is tested in api/test_executables.py."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

import pytest

from genba_gateway.errors import NotFound
from genba_gateway.services.executables import Executables, find_native_executable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "genba-linux-amd64").write_bytes(b"first")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["genba-linux-amd64", "coder-linux-amd64", "coder_linux_amd64", "coder-linux-amd64.exe"]
)
async def test_one_file_has_several_names(folder: Path, name: str) -> None:
    found = await Executables(folder).find(name)
    assert (found.path, found.size) == (folder / "genba-linux-amd64", 5)
    assert found.sha1 == hashlib.sha1(b"first", usedforsecurity=False).hexdigest()


async def test_a_file_put_in_its_place_has_its_own_hash(folder: Path) -> None:
    executables = Executables(folder)
    first = await executables.find("genba-linux-amd64")
    (folder / "new").write_bytes(b"other")
    os.replace(folder / "new", folder / "genba-linux-amd64")
    assert (await executables.find("genba-linux-amd64")).sha1 != first.sha1


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("genba-linux-riscv64", "its operator makes it with `make agent`"),
        ("coder-darwin-arm64", "its operator makes it with `make agent`, or: uv tool install genba"),
        ("coder-windows-amd64.exe", "uv tool install genba"),
        ("../genba-linux-amd64", "no program named"),
        ("genba-linux-", "no program named"),
    ],
)
async def test_what_is_not_there_says_where_to_get_it(folder: Path, name: str, remedy: str) -> None:
    with pytest.raises(NotFound) as raised:
        await Executables(folder).find(name)
    assert remedy in raised.value.message


async def test_lists_files_under_both_names(folder: Path) -> None:
    (folder / "genba-linux-arm64").mkdir()
    (folder / ".genba-linux-amd64.123").touch()
    assert await Executables(folder).list_names() == ["coder-linux-amd64", "genba-linux-amd64"]
    assert await Executables(folder / "absent").list_names() == []


def test_the_program_for_this_machine_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert find_native_executable(folder) == folder / "genba-linux-amd64"
    for machine in ("aarch64", "riscv64"):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert find_native_executable(folder) is None
