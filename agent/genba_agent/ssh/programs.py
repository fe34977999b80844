"""Programs of SSH sessions: what is started, and how one on pipes and one on a terminal look the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from genba_agent.clock import Clock
from genba_agent.ssh.session_environment import SessionVariables, build_session_environment
from genba_agent.terminals.commands import TerminalEnvironment
from genba_agent.terminals.spawning import WindowSize


class ProgramListener(Protocol):
    """Who shows a program. Called by the event loop; must not block."""

    def output(self, data: bytes) -> None:
        """Take output."""
        ...

    def error_output(self, data: bytes) -> None:
        """Take what a program on pipes wrote to its standard error."""
        ...

    def input_filled(self) -> None:
        """Bring no more input for now."""
        ...

    def input_drained(self) -> None:
        """Bring input again."""
        ...

    def exited(self, status: int) -> None:
        """Learn, after all output, that the program has ended; a signal's number is negative."""
        ...


class Program(Protocol):
    """A program that runs, the leader of a session of processes."""

    @property
    def has_exited(self) -> bool:
        """Whether the program itself has ended; what it left in the background may live."""
        ...

    def write(self, data: bytes) -> None:
        """Bring input."""
        ...

    def write_eof(self) -> None:
        """Bring no more input."""
        ...

    def resize(self, size: WindowSize) -> None:
        """Give its terminal a size, if it has one."""
        ...

    def pause_output(self) -> None:
        """Take no more output, so that it waits."""
        ...

    def resume_output(self) -> None:
        """Take output again."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to the program's process group."""
        ...

    async def hang_up(self, clock: Clock) -> None:
        """The client is gone for good: tell the program, and end it when it does not listen."""
        ...

    async def end(self, clock: Clock) -> None:
        """End everything that the program started and that did not leave its session."""
        ...

    async def kill(self) -> None:
        """Kill all that at once."""
        ...


@dataclass(frozen=True, slots=True)
class PtyRequest:
    """The terminal that a client asks for; modes by opcode."""

    terminal_type: str
    size: WindowSize
    modes: Mapping[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True, slots=True)
class ProgramRequest:
    """What a client wants to run: a command of the user's shell, or the login shell when it is empty."""

    command: str
    variables: SessionVariables
    pty: PtyRequest | None = None
    banners: bytes = b""
    """Shown before the message of the day of a login shell on a terminal."""


async def start_program(
    environment: TerminalEnvironment, request: ProgramRequest, listener: ProgramListener
) -> Program:
    """Start a program.

    Raises:
        OSError: it can't be started.
        ValueError: a NUL in the command or a variable.
    """
    environ = build_session_environment(environment.environ, request.variables)
    if request.pty is not None:
        from genba_agent.ssh.pty_program import start_on_pty

        return await start_on_pty(environment, request, request.pty, environ, listener)
    from genba_agent.ssh.piped_program import start_on_pipes

    shell = environment.shell
    # A login shell knows itself by the dash, whichever shell it is.
    argv = [shell, "-c", request.command] if request.command else [f"-{os.path.basename(shell)}"]
    directory = await asyncio.to_thread(find_directory, environment)
    return await start_on_pipes(argv, shell, environ, directory, listener)


def find_directory(environment: TerminalEnvironment) -> str:
    """Return the template's directory, once something has made it; the home folder before that."""
    return next((path for path in (environment.directory, environment.home) if os.path.isdir(path)), "/")
