"""The authority for host keys, as OpenSSH reads it."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.known_hosts import write_known_hosts
from tests.support.cli_builders import make_host_authority


def test_the_file_has_one_line_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = write_known_hosts(
        tmp_path / "new" / "folder", ["genba.*", "*.genba"], make_host_authority() + " gateway.test\n"
    )
    assert path == tmp_path / "new" / "folder" / "known_hosts"
    assert path.read_text() == f"@cert-authority genba.*,*.genba {make_host_authority()}\n"
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert [one.name for one in path.parent.iterdir()] == ["known_hosts"]


def test_openssh_finds_the_authority_for_a_workspace_and_for_no_other_host(tmp_path: Path) -> None:
    path = write_known_hosts(tmp_path, ["genba.*"], make_host_authority())

    def find(host: str) -> str:
        done = subprocess.run(["ssh-keygen", "-F", host, "-f", path], capture_output=True, text=True, check=False)
        return done.stdout

    assert "CA" in find("genba.dev")
    assert find("example.com") == ""


def test_patterns_of_other_commands_stay_with_the_same_key(tmp_path: Path) -> None:
    write_known_hosts(tmp_path, ["genba.*"], make_host_authority())
    write_known_hosts(tmp_path, ["coder.*", "genba.*"], make_host_authority())
    assert (tmp_path / "known_hosts").read_text().split()[1] == "genba.*,coder.*"


def test_another_key_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write_known_hosts(tmp_path, ["genba.*", "coder.*"], make_host_authority())
    write_known_hosts(tmp_path, ["genba.*"], make_host_authority(2))
    assert (tmp_path / "known_hosts").read_text() == f"@cert-authority genba.* {make_host_authority(2)}\n"


def test_a_file_that_says_it_all_is_not_written_again(tmp_path: Path) -> None:
    path = write_known_hosts(tmp_path, ["genba.*"], make_host_authority())
    before = path.stat().st_ino
    write_known_hosts(tmp_path, ["genba.*"], make_host_authority())
    assert path.stat().st_ino == before


@pytest.mark.parametrize("content", [b"", b"garbage \xff\n", b"one line\nanother line\n"])
def test_what_else_is_in_the_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "known_hosts").write_bytes(content)
    write_known_hosts(tmp_path, ["genba.*"], make_host_authority())
    assert (tmp_path / "known_hosts").read_text() == f"@cert-authority genba.* {make_host_authority()}\n"


@pytest.mark.parametrize(
    "authority",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!",
        "ssh-rsa " + make_host_authority().split()[1],
        "* " + make_host_authority().split()[1],
        "ssh-ed25519-cert-v01@openssh.com " + make_host_authority().split()[1],
    ],
)
def test_what_is_no_key_is_not_written(tmp_path: Path, authority: str) -> None:
    with pytest.raises(BridgeError, match="no authority"):
        write_known_hosts(tmp_path, ["genba.*"], authority)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("patterns", [[], ["a,b"], ["!a"], ["a b"], ["a\nb"], [""]])
def test_what_is_no_pattern_is_not_written(tmp_path: Path, patterns: list[str]) -> None:
    with pytest.raises(BridgeError):
        write_known_hosts(tmp_path, patterns, make_host_authority())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BridgeError, match="known_hosts"):
        write_known_hosts(tmp_path / "file", ["genba.*"], make_host_authority())
