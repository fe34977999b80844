"""One channel of an SSH connection that runs a program, or serves files."""

from __future__ import annotations

import logging
import signal as signals
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Final, Protocol

import asyncssh

from genba_agent.ssh.file_server import make_file_session
from genba_agent.ssh.file_transfers import EXIT_BLOCKED, MESSAGE, is_file_transfer
from genba_agent.ssh.programs import Program, ProgramRequest, PtyRequest, start_program
from genba_agent.ssh.session_environment import SESSION_TYPE, SessionVariables
from genba_agent.terminals.spawning import WindowSize

if TYPE_CHECKING:
    from asyncssh.stream import SSHServerStreamSession

    from genba_agent.clock import Clock
    from genba_agent.ssh.session_counts import SessionCounts
    from genba_agent.terminals.commands import TerminalEnvironment

logger = logging.getLogger(__name__)

EXIT_NOT_STARTED: Final = 229
"""The program could not be started (contract 1.15)."""

SFTP: Final = "sftp"

MAX_CELLS: Final = 65_535


class SessionHost(Protocol):
    """What sessions need of the server."""

    @property
    def environment(self) -> TerminalEnvironment:
        """What programs run with."""
        ...

    @property
    def clock(self) -> Clock: ...

    @property
    def counts(self) -> SessionCounts: ...

    @property
    def blocks_file_transfer(self) -> bool: ...

    @property
    def banners(self) -> bytes:
        """What a login shell on a terminal begins with."""
        ...

    def spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run something that may outlive the session; it must not raise."""
        ...

    def add(self, program: Program) -> None:
        """Learn of a program that runs, to end it when the workspace stops."""
        ...

    def remove(self, program: Program) -> None:
        """Learn that it is over."""
        ...


class WorkspaceSession(asyncssh.SSHServerSession[bytes]):
    """A session of the client's. All is called in the event loop's thread."""

    def __init__(self, host: SessionHost) -> None:
        self._host = host
        self._channel: asyncssh.SSHServerChannel[bytes]
        self._pty: PtyRequest | None = None
        self._command = ""
        self._files: SSHServerStreamSession[bytes] | None = None
        self._program: Program | None = None
        self._is_refused = False
        self._is_lost = False
        self._is_output_paused = False
        self._early: list[bytes] = []
        self._has_early_eof = False
        self._kind: str | None = None
        """How it is counted, once it is."""

    # What asyncssh calls before the session begins.

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def pty_requested(
        self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        width, height = term_size[:2]
        self._pty = PtyRequest(term_type, _window_size(width, height), dict(term_modes))
        return True

    def shell_requested(self) -> bool:
        return True

    def exec_requested(self, command: str) -> bool:
        self._command = command
        self._is_refused = self._host.blocks_file_transfer and is_file_transfer(command)
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        if subsystem != SFTP:
            return False
        if self._host.blocks_file_transfer:
            self._is_refused = True
            return True
        self._files = make_file_session(self._host.environment)
        self._files.connection_made(self._channel)
        return self._files.subsystem_requested(subsystem)

    def session_started(self) -> None:
        if self._is_refused:
            self._channel.write_stderr(MESSAGE)
            self._channel.exit(EXIT_BLOCKED)
            return
        sent = self._channel.get_environment()
        self._kind = self._host.counts.begin(sent.get(SESSION_TYPE, ""))
        if self._files is not None:
            self._files.session_started()
            return
        variables = SessionVariables(
            sent=sent,
            terminal_type=self._pty.terminal_type if self._pty else "",
            agent_path=self._channel.get_agent_path() or "",
            display=self._channel.get_x11_display() or "",
        )
        request = ProgramRequest(self._command, variables, self._pty, self._host.banners)
        self._host.spawn(self._start(request), "start of an SSH session")

    # What asyncssh calls while it goes on.

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self._files is not None:
            self._files.data_received(data, datatype)
        elif self._program is not None:
            self._program.write(data)
        else:
            self._early.append(data)
            self._channel.pause_reading()

    def eof_received(self) -> bool:
        if self._files is not None:
            return self._files.eof_received()
        if self._program is not None:
            self._program.write_eof()
        else:
            self._has_early_eof = True
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        size = _window_size(width, height)
        if self._program is not None:
            self._program.resize(size)
        elif self._pty is not None:
            self._pty = PtyRequest(self._pty.terminal_type, size, self._pty.modes)

    def signal_received(self, signal: str) -> None:
        number = getattr(signals, f"SIG{signal}", None)
        if isinstance(number, signals.Signals) and self._program is not None:
            self._program.signal(number)

    def break_received(self, msec: int) -> bool:
        return False

    def pause_writing(self) -> None:
        self._is_output_paused = True
        if self._files is not None:
            self._files.pause_writing()
        elif self._program is not None:
            self._program.pause_output()

    def resume_writing(self) -> None:
        self._is_output_paused = False
        if self._files is not None:
            self._files.resume_writing()
        elif self._program is not None:
            self._program.resume_output()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        if self._kind is not None:
            self._host.counts.end(self._kind)
        if self._files is not None:
            self._files.connection_lost(exc)
        elif self._program is not None:
            self._host.spawn(self._hang_up(self._program), "end of an SSH session")

    # What the program calls.

    def output(self, data: bytes) -> None:
        if not self._channel.is_closing():
            self._channel.write(data)  # pyright: ignore[reportUnknownMemberType]  # bytes or text, says asyncssh

    def error_output(self, data: bytes) -> None:
        if not self._channel.is_closing():
            self._channel.write_stderr(data)

    def input_filled(self) -> None:
        if not self._is_lost:
            self._channel.pause_reading()

    def input_drained(self) -> None:
        if not self._is_lost:
            self._channel.resume_reading()

    def exited(self, status: int) -> None:
        if self._program is not None:
            self._host.remove(self._program)
        if self._is_lost:
            return
        if status >= 0:
            self._channel.exit(status)
        else:
            try:
                name = signals.Signals(-status).name.removeprefix("SIG")
            except ValueError:  # real-time signals have no names; a shell tells them so
                self._channel.exit(128 - status)
            else:
                self._channel.exit_with_signal(name)

    async def _start(self, request: ProgramRequest) -> None:
        try:
            program = await start_program(self._host.environment, request, self)
        except (OSError, ValueError) as error:
            logger.warning("An SSH session's program could not be started: %s", error)
            self._refuse(f"The program could not be started: {error}.")
            return
        except Exception:
            logger.exception("An SSH session could not be started.")
            self._refuse("The program could not be started: see the agent's log.")
            return
        if not program.has_exited:
            self._host.add(program)
        self._program = program
        if self._is_lost:
            await self._hang_up(program)
            return
        if self._is_output_paused:
            program.pause_output()
        if self._pty is not None and request.pty is not None and self._pty.size != request.pty.size:
            program.resize(self._pty.size)
        early, self._early = self._early, []
        for data in early:
            program.write(data)
        if self._has_early_eof:
            program.write_eof()
        if early:
            self._channel.resume_reading()

    async def _hang_up(self, program: Program) -> None:
        await program.hang_up(self._host.clock)
        self._host.remove(program)

    def _refuse(self, reason: str) -> None:
        if not self._is_lost:
            self._channel.write_stderr(f"{reason}\n".encode())
            self._channel.exit(EXIT_NOT_STARTED)


def _window_size(width: int, height: int) -> WindowSize:
    """A client without a terminal of its own sends zeros."""
    default = WindowSize()
    return WindowSize(
        height=min(height, MAX_CELLS) or default.height,
        width=min(width, MAX_CELLS) or default.width,
    )
