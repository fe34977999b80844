"""Installing and removing, on real files and with the real ssh."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.host_blocks import HostBlocks, HostSettings
from genba_ide_bridge.ssh_config.installation import Installation

CODERS_BLOCKS = b"""\
# ------------START-CODER-----------
# :ssh-option=ForwardX11=yes
Host coder.*
  ProxyCommand coder ssh --stdio %h
# ------------END-CODER------------
# --- START CODER VSCODE gw.test ---
Host coder-vscode.gw.test--*
  ServerAliveInterval 10
# --- END CODER VSCODE gw.test ---
Host other
  Port 2200
"""


def make_blocks(folder: Path) -> HostBlocks:
    return HostBlocks(HostSettings(), "al", ["/usr/bin/genba", "--global-config", str(folder)], folder / "known_hosts")


def make_installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "home" / ".ssh" / "config", tmp_path / "a 'folder'" / "genba")


def install(installation: Installation) -> bool:
    blocks = make_blocks(installation.folder)
    return installation.install(installation.plan_install(blocks), blocks)


def remove(installation: Installation) -> None:
    installation.remove(installation.plan_removal())


def tree(folder: Path) -> dict[str, tuple[int, bytes | str | None]]:
    found: dict[str, tuple[int, bytes | str | None]] = {}
    for path in sorted(folder.rglob("*")):
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (stat.S_IMODE(path.lstat().st_mode), content)
    return found


def ask(config: Path, host: str) -> str:
    return subprocess.run(["ssh", "-F", config, "-G", host], capture_output=True, text=True, check=True).stdout


def prepared(tmp_path: Path, content: bytes) -> Installation:
    installation = make_installation(tmp_path)
    installation.config.parent.mkdir(parents=True)
    installation.config.write_bytes(content)
    return installation


def test_what_was_made_is_private_and_goes_again(tmp_path: Path) -> None:
    installation = make_installation(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    assert install(installation)
    modes = {name: mode for name, (mode, _) in tree(home).items()}
    assert modes == {".ssh": 0o700, ".ssh/config": 0o600}
    assert stat.S_IMODE((installation.folder / "ssh_config").stat().st_mode) == 0o600
    assert "proxycommand /usr/bin/genba" in ask(installation.config, "genba.dev")
    assert "proxycommand /usr/bin/genba" in ask(installation.config, "dev.genba")
    install(installation)
    assert installation.config.read_bytes().count(b"Include") == 1
    remove(installation)
    assert tree(tmp_path / "home") == {}
    assert not (installation.folder / "ssh_config").exists()


def test_what_the_user_put_beside_ours_stays(tmp_path: Path) -> None:
    installation = make_installation(tmp_path)
    (tmp_path / "home").mkdir()
    install(installation)
    with installation.config.open("ab") as file:
        file.write(b"Host mine")
    (installation.config.parent / "id").write_text("key")
    remove(installation)
    assert installation.config.read_bytes() == b"Host mine"
    installation.config.unlink()
    install(installation)
    remove(installation)
    assert os.listdir(installation.config.parent) == ["id"]


def test_an_empty_file_that_was_there_stays(tmp_path: Path) -> None:
    installation = prepared(tmp_path, b"")
    install(installation)
    remove(installation)
    assert installation.config.read_bytes() == b""


def test_blocks_of_coders_clients_and_other_hosts_stay_as_they_are(tmp_path: Path) -> None:
    installation = prepared(tmp_path, CODERS_BLOCKS)
    hosts = ("coder.dev", "coder-vscode.gw.test--al--dev", "other", "example.com")
    before = [ask(installation.config, host) for host in hosts]
    install(installation)
    assert installation.config.read_bytes().endswith(b"\n" + CODERS_BLOCKS)
    assert [ask(installation.config, host) for host in hosts] == before
    remove(installation)
    assert installation.config.read_bytes() == CODERS_BLOCKS


@pytest.mark.parametrize(
    "content",
    [
        b"Host a\r\n  Port 1\r\n",
        b"Host a\n  Port 1",
        b"# \xff\xfe caf\xe9\nHost a\n",
        b"\n\n",
        b"Match exec true\n  User x\n",
        b"Port 99\nServerAliveInterval 7\nHost *\n  User me\n",
    ],
)
def test_ssh_says_the_same_of_other_hosts_and_the_bytes_come_back(tmp_path: Path, content: bytes) -> None:
    installation = prepared(tmp_path, content)
    before = ask(installation.config, "a")
    assert install(installation)
    assert ask(installation.config, "a") == before
    remove(installation)
    assert installation.config.read_bytes() == content


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=120))
def test_any_file_comes_back(tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without ssh, which takes few of these; it is asked in the tests above.
    monkeypatch.setenv("PATH", "")
    installation = make_installation(tmp_path)
    installation.config.parent.mkdir(parents=True, exist_ok=True)
    installation.config.write_bytes(content)
    assert not install(installation)
    once = installation.config.read_bytes()
    install(installation)
    assert installation.config.read_bytes() == once
    remove(installation)
    assert installation.config.read_bytes() == content


@pytest.mark.parametrize("content", [b"Nonsense yes\n", b"Host a\nPort x\n"])
def test_a_broken_config_is_reported_and_nothing_is_left(tmp_path: Path, content: bytes) -> None:
    installation = prepared(tmp_path, content)
    installation.folder.mkdir(parents=True)
    before = tree(tmp_path)
    with pytest.raises(BridgeError, match=r"ssh does not take.* All is as it was\."):
        install(installation)
    assert tree(tmp_path) == before


def test_an_option_that_ssh_refuses_is_undone_in_what_was_installed(tmp_path: Path) -> None:
    installation = prepared(tmp_path, b"Host a\n")
    install(installation)
    before = tree(tmp_path)
    blocks = make_blocks(installation.folder)
    broken = HostBlocks(HostSettings(options=("Port=x",)), "al", blocks.program, blocks.known_hosts)
    with pytest.raises(BridgeError, match="Bad port"):
        installation.install(installation.plan_install(broken), broken)
    assert tree(tmp_path) == before


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path: Path) -> None:
    installation = make_installation(tmp_path)
    (tmp_path / "home").mkdir()
    blocks = make_blocks(installation.folder)
    broken = HostBlocks(HostSettings(options=("Port=x",)), "al", blocks.program, blocks.known_hosts)
    with pytest.raises(BridgeError):
        installation.install(installation.plan_install(broken), broken)
    assert tree(tmp_path / "home") == {}


@pytest.mark.parametrize("option", [b"ProxyCommand mine %h", b"HostName %h.mine"])
def test_a_block_that_wins_over_ours_is_reported(tmp_path: Path, option: bytes) -> None:
    installation = prepared(tmp_path, b"")
    install(installation)
    line = installation.config.read_bytes()
    installation.config.write_bytes(b"Host *\n  " + option + b"\n" + line)
    before = tree(tmp_path)
    with pytest.raises(BridgeError, match="comes before ours"):
        install(installation)
    assert tree(tmp_path) == before


def test_another_config_file_is_another_installation(tmp_path: Path) -> None:
    installation = make_installation(tmp_path)
    (tmp_path / "home").mkdir()
    install(installation)
    other = Installation(tmp_path / "other", installation.folder)
    other.config.write_bytes(b"")
    install(other)
    remove(other)
    assert other.config.read_bytes() == b""
