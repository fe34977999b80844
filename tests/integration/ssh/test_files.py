"""Files over the user's real OpenSSH: sftp, scp, rsync, git, sshfs."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.debian_packages import MissingPart, require_program
from tests.support.ssh_workspace import HOST, SshWorkspace

BULK_BYTES: Final = 64 * 1024 * 1024
MANY: Final = 10_000


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sftp(workspace: SshWorkspace, *lines: str) -> subprocess.CompletedProcess[bytes]:
    """Run a batch, which ends at the first command that fails."""
    return workspace.run(["sftp", "-q", *workspace.options, "-b", "-", HOST], stdin="\n".join(lines).encode())


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that nothing compresses."""
    path = tmp_path_factory.mktemp("bulk") / "bulk"
    path.write_bytes(random.Random(22).randbytes(BULK_BYTES))
    return path


@pytest.fixture(scope="module")
def rsync() -> str:
    """The path of rsync, which the workspace finds by its PATH."""
    try:
        return require_program("rsync", "rsync")
    except MissingPart as missing:
        pytest.skip(str(missing))


def test_sftp_does_what_a_file_manager_needs(workspace: SshWorkspace, tmp_path: Path) -> None:
    (tmp_path / "a b.txt").write_bytes(b"text")
    done = sftp(
        workspace,
        f'put "{tmp_path}/a b.txt" "äöü.txt"',
        "mkdir folder",
        'rename "äöü.txt" folder/moved',
        "chmod 640 folder/moved",
        "symlink moved folder/link",
        "ln folder/moved folder/hard",
        f"get folder/link {tmp_path}/back",
        "ls -la folder",
        "pwd",
        "df .",
        "rm folder/hard",
        "rm folder/link",
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "back").read_bytes() == b"text"
    moved = workspace.home / "folder" / "moved"
    assert moved.stat().st_mode & 0o777 == 0o640
    assert f"Remote working directory: {workspace.home}" in done.stdout.decode()
    assert [path.name for path in moved.parent.iterdir()] == ["moved"]
    assert sftp(workspace, "rm folder/moved", "rmdir folder").returncode == 0
    assert not moved.parent.exists()


def test_sftp_tells_what_is_wrong(workspace: SshWorkspace) -> None:
    assert b"not found" in sftp(workspace, "get /not/there").stderr
    assert sftp(workspace, "rmdir /proc").returncode == 1


def test_sftp_carries_64_mib_both_ways(workspace: SshWorkspace, bulk: Path, tmp_path: Path) -> None:
    assert sftp(workspace, f"put {bulk} there", f"get there {tmp_path}/back").returncode == 0
    assert digest(workspace.home / "there") == digest(tmp_path / "back") == digest(bulk)
    # It goes on where it was cut.
    os.truncate(tmp_path / "back", 1_000_000)
    assert sftp(workspace, f"reget there {tmp_path}/back").returncode == 0
    assert digest(tmp_path / "back") == digest(bulk)
    (workspace.home / "there").unlink()


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_scp_copies_folders_both_ways(workspace: SshWorkspace, tmp_path: Path, protocol: str) -> None:
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    for number in range(20):
        (source / "deep" / "er" / f"file {number}").write_bytes(random.Random(number).randbytes(5000 * number))
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    there = workspace.folder / f"scp{protocol}"
    copy = ["scp", "-q", protocol, "-rp", *workspace.options]
    assert workspace.run([*copy, str(source), f"{HOST}:{there}"]).returncode == 0
    assert workspace.run([*copy, f"{HOST}:{there}", str(tmp_path / "back")]).returncode == 0
    for folder in (there, tmp_path / "back"):
        assert workspace.run(["diff", "-r", str(source), str(folder)]).stdout == b""
        assert os.access(folder / "run.sh", os.X_OK)
    assert workspace.run([*copy, f"{HOST}:/not/there", str(tmp_path)]).returncode == 1
    shutil.rmtree(there)


def test_scp_finds_the_home_folder(workspace: SshWorkspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert workspace.run(["scp", "-q", *workspace.options, str(tmp_path / "file"), f"{HOST}:~/at-home"]).returncode == 0
    assert (workspace.home / "at-home").read_text() == "x"


def test_ten_thousand_files_by_rsync(workspace: SshWorkspace, tmp_path: Path, rsync: str) -> None:
    source = tmp_path / "many"
    for number in range(MANY):
        folder = source / str(number // 500)
        if number % 500 == 0:
            folder.mkdir(parents=True)
        (folder / f"{number}.txt").write_text(f"file {number}\n")
    there = workspace.folder / "many"
    shell = f"ssh -F {workspace.config}"
    assert workspace.run([rsync, "-a", "-e", shell, f"{source}/", f"{HOST}:{there}/"]).returncode == 0
    again = workspace.run([rsync, "-ai", "--checksum", "-e", shell, f"{source}/", f"{HOST}:{there}/"])
    assert (again.returncode, again.stdout) == (0, b"")
    assert workspace.run([rsync, "-a", "-e", shell, f"{HOST}:{there}/", f"{tmp_path}/back/"]).returncode == 0
    assert workspace.run(["diff", "-r", str(source), str(tmp_path / "back")]).stdout == b""
    shutil.rmtree(there)


def test_folder_of_many_files_by_sftp(workspace: SshWorkspace, tmp_path: Path) -> None:
    source = tmp_path / "many"
    source.mkdir()
    for number in range(300):
        (source / f"{number}.txt").write_text(f"file {number}\n")
    assert sftp(workspace, f"put -r {source} many", f"get -r many {tmp_path}/back").returncode == 0
    assert workspace.run(["diff", "-r", str(source), str(tmp_path / "back")]).stdout == b""
    shutil.rmtree(workspace.home / "many")


def test_git_pushes_and_clones(workspace: SshWorkspace, tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "GIT_SSH_COMMAND": f"ssh -F {workspace.config}",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }

    def git(*arguments: str, folder: Path) -> str:
        done = workspace.run(["git", *arguments], cwd=folder, env=environ)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    mine = tmp_path / "mine"
    mine.mkdir()
    git("init", "-q", "-b", "main", folder=mine)
    (mine / "big").write_bytes(random.Random(3).randbytes(3_000_000))
    git("add", ".", folder=mine)
    git("commit", "-q", "-m", "First", folder=mine)
    assert workspace.command("git init -q --bare repository").returncode == 0
    git("push", "-q", f"{HOST}:{workspace.work}/repository", "main", folder=mine)
    git("clone", "-q", "-b", "main", f"ssh://{HOST}{workspace.work}/repository", "yours", folder=tmp_path)
    assert git("rev-parse", "HEAD", folder=tmp_path / "yours") == git("rev-parse", "HEAD", folder=mine)
    assert digest(tmp_path / "yours" / "big") == digest(mine / "big")


def test_sshfs_mounts_the_workspace(workspace: SshWorkspace, tmp_path: Path) -> None:
    if not os.access("/dev/fuse", os.W_OK):
        pytest.skip("this machine has no /dev/fuse that may be used")
    try:
        sshfs = require_program("sshfs", "sshfs")
    except MissingPart as missing:
        pytest.skip(str(missing))
    mount = tmp_path / "mount"
    mount.mkdir()
    mounted = workspace.run([sshfs, "-F", str(workspace.config), f"{HOST}:{workspace.work}", str(mount)])
    if mounted.returncode != 0:
        pytest.skip(f"sshfs can't mount here: {mounted.stderr.decode().strip()}")
    try:
        (mount / "through-sshfs").write_text("hello")
        assert (workspace.work / "through-sshfs").read_text() == "hello"
        (mount / "through-sshfs").rename(mount / "renamed")
        assert "renamed" in os.listdir(mount)
    finally:
        workspace.run(["fusermount3", "-u", str(mount)])
