"""A real gpg in the workspace that signs and decrypts with keys which stay on the client."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from genba_ide_bridge.cli.gpg_forwarding import prepare_workspace, read_local_gpg
from tests.support.debian_packages import MissingPart, require_program
from tests.support.ssh_workspace import HOST, LIMIT_S, SshWorkspace

USER = "ann@example.com"


@dataclass
class Desk:
    """The client's gpg, and the workspace's, each with a folder of its own."""

    workspace: SshWorkspace
    local: Path
    remote: Path

    @property
    def ssh(self) -> list[str]:
        # Debian's gpg takes sockets below /run/user/… or the folder itself: both ends are one user on one machine.
        setting = ["-o", f"SetEnv=GNUPGHOME={self.remote}"]
        return ["ssh", *self.workspace.options, *setting]

    def prepare(self) -> str:
        return prepare_workspace([*self.ssh, HOST], read_local_gpg(), dict(os.environ), "dev")

    def there(self, command: str, forward: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command in the workspace with the agent forwarded."""
        forwarding = ["-R", forward, "-o", "ExitOnForwardFailure=yes"]
        return self.workspace.run([*self.ssh, *forwarding, HOST, command], stdin=stdin)


def gpg(home: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--quiet", "--no-auto-key-locate", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def desk(workspace: SshWorkspace, monkeypatch: pytest.MonkeyPatch) -> Generator[Desk]:
    try:
        require_program("gpg", "gnupg")
    except MissingPart as missing:
        pytest.skip(str(missing))
    folder = Path(tempfile.mkdtemp(prefix="gpg-", dir="/tmp"))
    homes = [folder / "a", folder / "b"]
    for home in homes:
        home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(homes[0]))
    yield Desk(workspace, *homes)
    for home in homes:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, timeout=LIMIT_S)
    shutil.rmtree(folder, ignore_errors=True)


def make_key(desk: Desk) -> None:
    gpg(desk.local, "--passphrase", "", "--quick-generate-key", USER, "future-default", "default", "never")


def test_a_signature_made_in_the_workspace_is_of_the_clients_key_and_the_secret_stays(desk: Desk) -> None:
    make_key(desk)
    forward = desk.prepare()
    signed = desk.there(f"gpg --batch --no-tty --armor --sign --local-user {USER}", forward, stdin=b"hello\n")
    assert signed.returncode == 0, signed.stderr.decode()
    assert gpg(desk.local, "--decrypt", stdin=signed.stdout) == b"hello\n"
    sealed = gpg(desk.local, "--encrypt", "--recipient", USER, stdin=b"for ann")
    opened = desk.there("gpg --batch --no-tty --quiet --decrypt", forward, stdin=sealed)
    assert (opened.returncode, opened.stdout) == (0, b"for ann"), opened.stderr.decode()
    assert list((desk.remote / "private-keys-v1.d").glob("*")) == []
    # The owner's trust came along: else gpg would not encrypt to this key without a question.
    encrypted = desk.there(
        f"gpg --batch --no-tty --no-auto-key-locate --encrypt --recipient {USER}", forward, stdin=b"x"
    )
    assert encrypted.returncode == 0, encrypted.stderr.decode()
    # What the extra socket is for: another machine may not take keys away.
    exported = desk.there("gpg --batch --no-tty --export-secret-keys", forward)
    assert b"PRIVATE KEY" not in exported.stdout
    assert exported.stdout == b""


def test_an_agent_that_runs_there_makes_room_and_an_empty_keyring_is_told(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    started = desk.workspace.run([*desk.ssh, HOST, "gpgconf --launch gpg-agent"])
    assert started.returncode == 0
    forward = desk.prepare()
    assert "has no public keys" in capsys.readouterr().err
    assert not Path(forward.partition(":")[0]).exists()
    make_key(desk)
    asked = desk.there("gpg-connect-agent 'getinfo restricted' /bye", forward)
    # The forwarded one answers, and in the way in which it answers other machines.
    assert b"OK" in asked.stdout
