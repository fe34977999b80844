from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path

from genba_agent.terminals.commands import (
    MAX_MOTD_BYTES,
    TerminalCommand,
    TerminalEnvironment,
    make_command,
    make_terminal_environment,
)
from tests.support.agent_workspace import make_script_settings
from tests.support.terminal_streams import make_environment


def run(command: TerminalCommand) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command.argv, env=command.environ, capture_output=True, text=True, check=False, input="")


def test_command_runs_in_the_folder_with_a_terminals_environment(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "folder" $HOME -x'
    folder.mkdir()
    environment = dataclasses.replace(make_environment(tmp_path, {"GREETING": "hello"}), directory=str(folder))
    done = run(make_command(environment, "pwd; echo $GREETING $TERM $COLORTERM; exit 3"))
    assert done.stdout.splitlines() == [str(folder), "hello xterm-256color truecolor"]
    assert done.returncode == 3


def test_size_of_the_agents_own_terminal_and_old_folder_are_not_passed_on(tmp_path: Path) -> None:
    environment = make_environment(tmp_path, {"COLUMNS": "17", "LINES": "3"})
    done = run(make_command(environment, "env"))
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert not names & {"COLUMNS", "LINES", "OLDPWD"}
    assert "HOME" in names


def test_missing_folder_is_named_and_home_taken_instead(tmp_path: Path) -> None:
    environment = dataclasses.replace(make_environment(tmp_path), directory=str(tmp_path / "gone"))
    done = run(make_command(environment, "pwd"))
    said, folder = done.stdout.splitlines()
    assert said == f"The folder {tmp_path}/gone can not be entered: beginning in {tmp_path}."
    assert folder == str(tmp_path)


def test_missing_home_too_leads_to_the_root(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    environment = dataclasses.replace(make_environment(tmp_path), directory=gone, home=gone)
    assert run(make_command(environment, "pwd")).stdout.splitlines()[-1] == "/"


def test_login_shell_reads_the_users_profile(tmp_path: Path) -> None:
    environment = make_environment(tmp_path)
    (tmp_path / ".profile").write_text("echo from the profile\n")
    assert "from the profile" in run(make_command(environment, "")).stdout


def test_shell_that_may_not_know_the_flag_is_started_without_it(tmp_path: Path) -> None:
    shell = tmp_path / "myshell"
    shell.write_text('#!/bin/sh\necho "arguments: $#"\n')
    shell.chmod(0o700)
    environment = dataclasses.replace(make_environment(tmp_path), shell=str(shell))
    assert run(make_command(environment, "")).stdout == "arguments: 0\n"


def greeting(tmp_path: Path, motd_file: Path | str, command: str = "") -> bytes:
    return make_command(make_environment(tmp_path, motd_file=str(motd_file)), command).greeting


def test_message_of_the_day_greets_login_shells_only(tmp_path: Path) -> None:
    motd = tmp_path / "motd"
    motd.write_bytes("Welcome\nto 世界".encode())
    assert greeting(tmp_path, motd) == "Welcome\r\nto 世界\r\n".encode()
    assert greeting(tmp_path, motd, "ls") == b""
    (tmp_path / ".hushlogin").touch()
    assert greeting(tmp_path, motd) == b""


def test_absent_endless_and_silent_messages_keep_no_terminal_from_opening(tmp_path: Path) -> None:
    assert greeting(tmp_path, tmp_path / "none") == b""
    assert greeting(tmp_path, tmp_path) == b""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert greeting(tmp_path, pipe) == b""
    long = tmp_path / "long"
    long.write_bytes(b"x" * (MAX_MOTD_BYTES + 1))
    assert len(greeting(tmp_path, long)) == MAX_MOTD_BYTES + len(b"\r\n")


def test_environment_takes_over_the_scripts_settings(tmp_path: Path) -> None:
    settings = make_script_settings(tmp_path)
    environment = make_terminal_environment(settings, "~/motd")
    assert environment == TerminalEnvironment(  # noqa: S604  # a field's name
        shell="/bin/sh",
        home=str(tmp_path),
        directory=str(tmp_path / "src"),
        environ=settings.environ,
        motd_file=str(tmp_path / "motd"),
    )
    assert make_terminal_environment(settings, "").motd_file == ""
