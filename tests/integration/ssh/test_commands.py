"""Commands over the user's real OpenSSH: exit codes, signals, bytes, variables, terminals."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import random
import signal
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from tests.support.ssh_workspace import HOST, LIMIT_S, SshWorkspace, running_ssh_workspace
from tests.support.waiting import wait_until

BULK_BYTES = 64 * 1024 * 1024


@pytest.mark.parametrize("code", [0, 1, 127, 229, 255])
def test_exit_code_is_the_commands(workspace: SshWorkspace, code: int) -> None:
    assert workspace.command(f"exit {code}").returncode == code


def test_death_by_signal_is_told(workspace: SshWorkspace) -> None:
    done = workspace.command("kill -TERM $$", "-v")
    assert done.returncode == 255
    assert b"rtype exit-signal" in done.stderr


def test_output_and_errors_come_apart(workspace: SshWorkspace) -> None:
    done = workspace.command("echo out; echo err >&2; cat", stdin=b"typed")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\ntyped", b"err\n", 0)


def test_every_byte_passes_both_ways(workspace: SshWorkspace) -> None:
    data = bytes(range(256)) * 300
    assert workspace.command("cat", stdin=data).stdout == data


def test_64_mib_pass_both_ways(workspace: SshWorkspace) -> None:
    data = random.Random(4).randbytes(BULK_BYTES)
    (workspace.work / "bulk").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    down = workspace.command("cat bulk").stdout
    assert hashlib.sha256(down).hexdigest() == digest
    assert workspace.command("sha256sum", stdin=data).stdout.decode().split()[0] == digest
    (workspace.work / "bulk").unlink()


def test_input_that_nobody_reads_does_not_keep_a_command_from_ending(workspace: SshWorkspace) -> None:
    assert workspace.command("echo done", stdin=bytes(8 * 1024 * 1024)).stdout == b"done\n"


def test_commands_run_by_the_users_shell_in_the_templates_folder(workspace: SshWorkspace) -> None:
    done = workspace.command("echo $0 ${BASH_VERSION:+bash}; pwd; shopt -q login_shell; echo $?")
    assert done.stdout.decode().split() == ["/bin/bash", "bash", str(workspace.work), "1"]


def test_without_a_command_the_login_shell_reads_commands(workspace: SshWorkspace) -> None:
    done = workspace.ssh("-T", HOST, stdin=b"shopt -q login_shell && echo login; exit 5\n")
    assert (done.stdout, done.returncode) == (b"login\n", 5)


def test_environment_is_the_workspaces_with_what_the_client_sets(workspace: SshWorkspace) -> None:
    (workspace.home / ".bash_profile").unlink(missing_ok=True)
    set_env = "SetEnv=EDITOR_NAME=mine CODER_WORKSPACE_NAME=other HOME=/elsewhere CODER_SSH_SESSION_TYPE=vscode"
    lines = workspace.command("env", "-o", set_env).stdout.decode().splitlines()
    environ = dict(line.split("=", 1) for line in lines)
    assert environ["EDITOR_NAME"] == "mine"
    assert environ["CODER_WORKSPACE_NAME"] == "here"
    assert environ["HOME"] == str(workspace.home)
    assert environ["USER"] == environ["LOGNAME"] == "dev"
    assert environ["PATH"].startswith(str(workspace.folder / "bin"))
    assert "SSH_CONNECTION" in environ
    assert not {"CODER_SSH_SESSION_TYPE", "TERM", "SSH_TTY"} & environ.keys()


def test_sessions_are_counted_by_their_kind(workspace: SshWorkspace) -> None:
    command = ["ssh", *workspace.options, "-o", "SetEnv=CODER_SSH_SESSION_TYPE=vscode", HOST, "echo on; cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"on\n"
        counts = workspace.tell("counts")
        assert (counts["vscode"], counts["ssh"], counts["connections"]) == (1, 0, 1)
        client.communicate(timeout=LIMIT_S)
    wait_until(lambda: not any(workspace.tell("counts").values()))


def test_client_that_goes_for_good_hangs_the_command_up(workspace: SshWorkspace) -> None:
    mark = workspace.work / "hung-up"
    mark.unlink(missing_ok=True)
    script = f"trap 'echo up > {mark}; exit' HUP; echo on; while :; do sleep 0.1; done"
    with subprocess.Popen(["ssh", *workspace.options, HOST, script], stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"on\n"
        client.kill()
    wait_until(lambda: mark.exists() and mark.read_text() == "up\n")


def test_background_process_outlives_its_command(workspace: SshWorkspace) -> None:
    done = workspace.command("nohup sleep 100 >/dev/null 2>&1 </dev/null & echo $!")
    pid = int(done.stdout)
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


def test_program_that_cannot_be_started_has_its_own_exit_code(short_dir: Path) -> None:
    with running_ssh_workspace(short_dir) as workspace:
        (workspace.work).rmdir()
        assert workspace.command("pwd").stdout.decode().strip() == str(workspace.home)
    broken = short_dir / "broken"
    broken.mkdir()
    with running_ssh_workspace(broken, login_shell="/not/there") as workspace:
        done = workspace.command("true")
        assert done.returncode == 229
        assert b"could not be started" in done.stderr


def test_file_transfers_are_refused_where_they_are_switched_off(short_dir: Path) -> None:
    with running_ssh_workspace(short_dir, blocks=True) as workspace:
        for command in ("scp -t .", "/usr/bin/rsync --server .", "nc localhost 1"):
            done = workspace.command(command)
            assert done.returncode == 65
            assert b"switched off" in done.stderr
        assert workspace.ssh("-s", HOST, "sftp").returncode == 65
        assert workspace.command("echo scp").stdout == b"scp\n"


def test_workspaces_stop_ends_sessions_with_its_reason(short_dir: Path) -> None:
    with running_ssh_workspace(short_dir) as workspace:
        command = ["ssh", *workspace.options, HOST, "echo on; sleep 1000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"on\n"
            workspace.tell("stop")
            _, errors = client.communicate(timeout=LIMIT_S)
        assert client.returncode == 255
        assert b"The workspace is stopping." in errors


class Terminal:
    """ssh on a terminal of the test."""

    def __init__(self, workspace: SshWorkspace, *arguments: str) -> None:
        self.end, far = pty.openpty()
        self.resize(30, 100)
        self.client = subprocess.Popen(
            ["ssh", *workspace.options, *arguments], stdin=far, stdout=far, stderr=far, start_new_session=True
        )
        os.close(far)
        self.shown = b""

    def resize(self, height: int, width: int) -> None:
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def read_until(self, text: str) -> str:
        """Return what was shown up to and with the text."""
        wanted = text.encode()
        while wanted not in self.shown:
            self.shown += os.read(self.end, 4096)
        before, _, self.shown = self.shown.partition(wanted)
        return before.decode(errors="replace")

    def close(self) -> int:
        try:
            while os.read(self.end, 4096):
                pass
        except OSError:
            pass
        status = self.client.wait(timeout=LIMIT_S)
        os.close(self.end)
        return status


def test_terminal_has_size_modes_and_type_of_the_clients(workspace: SshWorkspace) -> None:
    # ssh may send what is typed before it sends the new size.
    resized = 'while [ "$(stty size)" = "30 100" ]; do sleep 0.05; done'
    terminal = Terminal(
        workspace, "-t", HOST, f"stty size; stty -a; echo $TERM $SSH_TTY; tty; read x; {resized}; stty size; exit 7"
    )
    assert terminal.read_until("30 100") == ""
    shown = terminal.read_until("/dev/pts/")
    assert "intr = ^C" in shown
    assert os.environ.get("TERM", "") in shown
    terminal.read_until("/dev/pts/")
    terminal.resize(50, 160)
    os.kill(terminal.client.pid, signal.SIGWINCH)
    terminal.type("\n")
    terminal.read_until("50 160")
    assert terminal.close() == 7


def test_interrupt_key_reaches_the_foreground_program(workspace: SshWorkspace) -> None:
    terminal = Terminal(workspace, "-t", HOST, "trap 'echo caught; exit 9' INT; echo on; while :; do sleep 0.1; done")
    terminal.read_until("on")
    terminal.type("\x03")
    terminal.read_until("caught")
    assert terminal.close() == 9


def test_login_shell_greets_with_announcements_and_the_message_of_the_day(workspace: SshWorkspace) -> None:
    (workspace.folder / "motd").write_text("Welcome to the workspace.\n")
    terminal = Terminal(workspace, HOST)
    terminal.read_until("Maintenance at noon.")
    terminal.read_until("Welcome to the workspace.")
    terminal.type("exit 3\n")
    assert terminal.close() == 3
    (workspace.home / ".hushlogin").touch()
    terminal = Terminal(workspace, HOST)
    terminal.type("echo re''ady; exit 4\n")
    assert "Welcome" not in terminal.read_until("ready")
    assert terminal.close() == 4
    (workspace.home / ".hushlogin").unlink()


def test_hang_up_of_a_terminal_reaches_its_shell(workspace: SshWorkspace) -> None:
    mark = workspace.work / "terminal-hung-up"
    mark.unlink(missing_ok=True)
    script = f"trap 'echo up > {mark}; exit' HUP; echo on; while :; do sleep 0.1; done"
    terminal = Terminal(workspace, "-t", HOST, script)
    terminal.read_until("on")
    terminal.client.kill()
    terminal.client.wait()
    os.close(terminal.end)
    wait_until(lambda: mark.exists() and mark.read_text() == "up\n")


@pytest.mark.parametrize(
    ("wanted", "used"),
    [
        ("", "aes128-gcm@openssh.com"),
        ("chacha20-poly1305@openssh.com,aes256-gcm@openssh.com", "aes256-gcm@openssh.com"),
        ("chacha20-poly1305@openssh.com", "chacha20-poly1305@openssh.com"),
        ("aes256-ctr", "aes256-ctr"),
    ],
)
def test_fast_cipher_is_taken_where_the_client_has_one(workspace: SshWorkspace, wanted: str, used: str) -> None:
    options = ["-o", f"Ciphers={wanted}"] if wanted else []
    done = workspace.command("cat", "-v", *options, stdin=b"through")
    assert done.stdout == b"through"
    assert f"server->client cipher: {used}" in done.stderr.decode()
