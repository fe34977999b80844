"""What goes wrong before gpg is forwarded (tests/integration/ssh/test_gpg.py has the real gpg)."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from genba_ide_bridge.cli.gpg_forwarding import PREPARE_COMMAND, LocalGpg, prepare_workspace, read_local_gpg
from genba_ide_bridge.errors import BridgeError

LOCAL = LocalGpg("/run/extra", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n")


def prepare(folder: Path, script: str) -> str:
    """Prepare a workspace whose ssh is a script."""
    path = folder / "ssh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return prepare_workspace([str(path)], LOCAL, dict(os.environ), "dev")


def test_what_start_up_files_print_is_no_socket(tmp_path: Path) -> None:
    assert prepare(tmp_path, "cat >/dev/null; echo Welcome; echo /home/dev/S") == "/home/dev/S:/run/extra"


@pytest.mark.parametrize(
    "said", ["", "S.gpg-agent", "/", "/run/a:b", "/home/dev/S\n2222", "/t/${GENBA_SESSION_TOKEN}", "/t/%d", "/ä"]
)
def test_what_is_no_path_is_not_forwarded(tmp_path: Path, said: str) -> None:
    with pytest.raises(BridgeError, match="could not be prepared"):
        prepare(tmp_path, f"cat >/dev/null; printf %s {shlex.quote(said)}")


def test_a_workspace_whose_script_fails_is_told_with_its_code(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match=r"exit code 1\)"):
        prepare(tmp_path, "cat >/dev/null; echo /home/dev/S; exit 1")


def test_an_ssh_that_failed_has_said_why(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        prepare(tmp_path, "exit 255")
    assert caught.value.code == 255


def test_a_workspace_without_gpg_says_so(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    with pytest.raises(BridgeError, match="The workspace dev has no gpg") as caught:
        prepare(tmp_path, f'PATH={tmp_path}\nexport PATH\neval "$1"')
    assert "leave --forward-gpg out" in caught.value.hint


def test_a_machine_without_gpg_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BridgeError, match="not on your PATH"):
        read_local_gpg()


def test_a_gpg_that_fails_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gpg", "gpgconf"):
        (tmp_path / name).write_text("#!/bin/sh\necho it broke >&2\nexit 2\n")
        (tmp_path / name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(BridgeError, match="`gpgconf --launch gpg-agent` failed with exit code 2") as caught:
        read_local_gpg()
    assert caught.value.hint == "it broke"


def test_the_command_is_one_word_for_any_shell() -> None:
    word = PREPARE_COMMAND.removeprefix("sh -c ")
    assert word[0] == word[-1] == "'"
    assert not set(word[1:-1]) & set("'\\!")
    subprocess.run(["sh", "-n", "-c", shlex.split(word)[0]], check=True)


def test_ssh_takes_no_variable_of_this_machine_into_a_forward(tmp_path: Path) -> None:
    local = LocalGpg("/run/100%d/extra", b"")
    path = tmp_path / "ssh"
    path.write_text("#!/bin/sh\ncat >/dev/null; echo /run/x-1/S.gpg+a@b\n")
    path.chmod(0o700)
    forward = prepare_workspace([str(path)], local, dict(os.environ), "dev")
    assert forward == "/run/x-1/S.gpg+a@b:/run/100%%d/extra"
    with pytest.raises(BridgeError, match="for a variable"):
        prepare_workspace([str(path)], LocalGpg("/run/${HOME}/extra", b""), dict(os.environ), "dev")
