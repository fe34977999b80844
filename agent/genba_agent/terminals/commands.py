"""What a terminal starts, and what it says before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from genba_agent.environment import expand_path
from genba_agent.script_settings import ScriptSettings

MAX_MOTD_BYTES: Final = 64 * 1024
"""A message that is longer is cut: nobody reads it, and a special file may have no end."""

LOGIN_SHELLS: Final = frozenset(
    {"ash", "bash", "csh", "dash", "fish", "ksh", "ksh93", "mksh", "nu", "pwsh", "sh", "tcsh", "xonsh", "zsh"}
)
"""Shells that take `-l` for a login shell. A `-` before the name would do for all, but sh can't pass one on."""

SIZE_VARIABLES: Final = frozenset({"COLUMNS", "LINES"})
"""The size of the terminal that the agent was started in; programs would believe them."""

# posix_spawn can't change the folder, so sh does. Nothing is put together as text: all comes as arguments.
_START: Final = """\
cd -- "$1" 2>/dev/null || {
    printf 'The folder %s can not be entered: beginning in %s.\\n' "$1" "$2"
    cd -- "$2" 2>/dev/null || cd /
}
unset OLDPWD
shift 2
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class TerminalEnvironment:
    """What programs in terminals run with. `directory` may not exist yet; `motd_file` is absolute or empty."""

    shell: str
    home: str
    directory: str
    environ: Mapping[str, str]
    motd_file: str


@dataclass(frozen=True, slots=True)
class TerminalCommand:
    """A program to start, and bytes to show before its output."""

    argv: list[str]
    environ: dict[str, str]
    greeting: bytes


def make_terminal_environment(settings: ScriptSettings, motd_file: str) -> TerminalEnvironment:
    """Take over what scripts run with; a relative path of the message of the day is taken from the home folder."""
    return TerminalEnvironment(
        shell=settings.shell,
        home=settings.home,
        directory=settings.directory,
        environ=settings.environ,
        motd_file=expand_path(motd_file, settings.environ, settings.home, settings.home) if motd_file else "",
    )


def make_command(environment: TerminalEnvironment, command: str) -> TerminalCommand:
    """Find out how to start a command, or the login shell when it is empty. Touches the disk: call it in a thread."""
    shell = environment.shell
    if command:
        program = [shell, "-c", command]
    elif PurePath(shell).name in LOGIN_SHELLS:
        program = [shell, "-l"]
    else:
        program = [shell]
    environ = {name: value for name, value in environment.environ.items() if name not in SIZE_VARIABLES}
    environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return TerminalCommand(
        argv=["/bin/sh", "-c", _START, "sh", environment.directory, environment.home, *program],
        environ=environ,
        greeting=b"" if command else _read_motd(environment),
    )


def _read_motd(environment: TerminalEnvironment) -> bytes:
    """Return the message of the day as a terminal shows it; ~/.hushlogin silences it, as login(1) has it."""
    if not environment.motd_file or os.path.exists(os.path.join(environment.home, ".hushlogin")):
        return b""
    try:
        # Not blocking, so that a pipe at that place does not keep the terminal from opening.
        fd = os.open(environment.motd_file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            text = os.read(fd, MAX_MOTD_BYTES)
        finally:
            os.close(fd)
    except OSError:
        return b""
    lines = text.splitlines()
    return b"".join(line + b"\r\n" for line in lines)
