"""Programs on terminals of their own, as a session starts them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from genba_agent.ssh.programs import ProgramRequest, PtyRequest
from genba_agent.ssh.pty_program import INPUT_BYTES, PtyProgram, start_on_pty
from genba_agent.ssh.session_environment import SessionVariables
from genba_agent.terminals.commands import TerminalEnvironment
from genba_agent.terminals.spawning import WindowSize
from tests.support.agent_clock import CEILING_S
from tests.support.waiting import eventually

ECHO = 53
"""The mode ECHO (RFC 4254, section 8)."""


class Shown:
    """A `ProgramListener` that notes what it hears."""

    def __init__(self) -> None:
        self.out = b""
        self.is_filled = False
        self.filled = 0
        self.status = asyncio.get_running_loop().create_future()
        self._came: Callable[[], None] = lambda: None

    def output(self, data: bytes) -> None:
        self.out += data

    def error_output(self, data: bytes) -> None:
        raise AssertionError("a terminal has one output")

    def input_filled(self) -> None:
        self.filled += 1
        self.is_filled = True

    def input_drained(self) -> None:
        self.is_filled = False

    def exited(self, status: int) -> None:
        self.status.set_result(status)

    async def wait(self) -> int:
        async with asyncio.timeout(CEILING_S):
            status: int = await self.status
            return status

    async def until(self, text: bytes) -> None:
        await eventually(lambda: text in self.out)


async def start(
    home: Path, command: str, *, modes: dict[int, int] | None = None, banners: bytes = b"", motd: str = ""
) -> tuple[PtyProgram, Shown]:
    shown = Shown()
    environ = {**os.environ, "HOME": str(home), "PS1": "$ ", "ENV": "", "TERM": "dumb"}
    environment = TerminalEnvironment("/bin/sh", str(home), str(home), environ, motd)
    pty = PtyRequest("dumb", WindowSize(20, 70), modes or {})
    request = ProgramRequest(command, SessionVariables({}), pty, banners)
    return await start_on_pty(environment, request, pty, environ, shown), shown


async def test_a_command_has_a_terminal_with_its_size_name_and_modes(tmp_path: Path) -> None:
    script = "stty size; stty -a | grep -o -e '-echo ' ; test $(tty) = $SSH_TTY && echo named; exit 3"
    program, shown = await start(tmp_path, script, modes={ECHO: 0})
    assert await shown.wait() == 3
    assert shown.out.split() == [b"20", b"70", b"-echo", b"named"]
    assert program.has_exited


async def test_what_is_typed_comes_and_a_new_size_is_told(tmp_path: Path) -> None:
    program, shown = await start(
        tmp_path,
        # A signal ends a `read` of some shells, as the end of what is typed does.
        "trap 'stty size; again=1' WINCH; echo ready; "
        'while read -r line || [ "$again" ]; do again=; [ -z "$line" ] || echo got $line; done',
    )
    await shown.until(b"ready")
    program.resize(WindowSize(30, 100))
    program.write(b"one\r")
    await shown.until(b"got one")
    await shown.until(b"30 100")
    # A terminal has no end of input: what is typed ends it.
    program.write_eof()
    assert not program.has_exited
    program.write(b"\x04")
    assert await shown.wait() == 0


async def test_a_login_shell_greets_and_a_command_does_not(tmp_path: Path) -> None:
    motd = tmp_path / "motd"
    await asyncio.to_thread(motd.write_text, "Mind the step.\n")
    program, shown = await start(tmp_path, "", banners=b"Maintenance at noon.\r\n", motd=str(motd))
    program.write(b"exit\r")
    await shown.wait()
    assert shown.out.startswith(b"Maintenance at noon.\r\nMind the step.")
    _, quiet = await start(tmp_path, "true", banners=b"Maintenance at noon.\r\n", motd=str(motd))
    await quiet.wait()
    assert quiet.out == b""
    await asyncio.to_thread((tmp_path / ".hushlogin").touch)
    program, hushed = await start(tmp_path, "", banners=b"Maintenance at noon.\r\n", motd=str(motd))
    program.write(b"exit\r")
    await hushed.wait()
    assert b"Maintenance" not in hushed.out
    assert b"Mind" not in hushed.out


async def test_a_signal_reaches_the_programs_group_and_none_that_has_ended(tmp_path: Path) -> None:
    program, shown = await start(tmp_path, "trap 'echo caught; exit 5' USR1; echo ready; while :; do sleep 0.01; done")
    await shown.until(b"ready")
    program.signal(signal.SIGUSR1)
    assert await shown.wait() == 5
    assert b"caught" in shown.out
    program.signal(signal.SIGKILL)


async def test_a_program_that_reads_nothing_holds_the_client_until_it_does(tmp_path: Path) -> None:
    script = f"stty raw -echo; echo ready; read -r _ <{tmp_path}/go; head -c {INPUT_BYTES * 2} >/dev/null; echo took"
    await asyncio.to_thread(os.mkfifo, tmp_path / "go")
    program, shown = await start(tmp_path, script)
    await shown.until(b"ready")
    for _ in range(8):
        program.write(bytes(INPUT_BYTES // 4))
    assert (shown.is_filled, shown.filled) == (True, 1)
    await asyncio.to_thread((tmp_path / "go").write_text, "go\n")
    await shown.until(b"took")
    assert not shown.is_filled
    assert await shown.wait() == 0


async def test_output_waits_while_it_is_paused(tmp_path: Path) -> None:
    program, shown = await start(tmp_path, "echo $$; exec cat /dev/zero")
    await shown.until(b"\n")
    pid = int(shown.out.split()[0])
    program.pause_output()
    await eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_SLEEPING)
    held = len(shown.out)
    await asyncio.sleep(0)
    assert len(shown.out) == held
    program.resume_output()
    await eventually(lambda: len(shown.out) > held)
    await program.kill()
    assert await shown.wait() == -signal.SIGKILL


async def test_its_end_takes_what_it_started_with_it(tmp_path: Path) -> None:
    program, shown = await start(tmp_path, "sleep 1000 & echo $!; wait")
    await shown.until(b"\n")
    child = int(shown.out.split()[0])
    await program.kill()
    await shown.wait()
    await eventually(lambda: not psutil.pid_exists(child))


async def test_a_command_that_no_system_takes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="null"):
        await start(tmp_path, "a\0b")
