"""Runs one script: its shell, its pipes, its time-out."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genba_agent.child_process import DRAIN_S, ChildProcess, OutputPipe, start_process
from genba_agent.clock import Clock, wait_for_all, wait_for_first
from genba_agent.environment import expand_path
from genba_agent.lifecycle import Outcome
from genba_agent.log_queue import QueuedLine
from genba_agent.script_output import ScriptOutput
from genba_agent.script_settings import ScriptSettings
from genba_wire.api.agent_protocol import ManifestScript

logger = logging.getLogger(__name__)

MAX_ARGUMENT_BYTES: Final = 100_000
"""Linux refuses an argument of 128 KiB; a longer script goes to the shell as a file."""

STANDARD_STREAMS: Final = {"/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/1": 1, "/dev/fd/2": 2}
"""Paths that mean the agent's own output, as in a container whose runtime collects it, and their descriptors."""

NANOSECONDS: Final = 1_000_000_000

PIPE_GRACE_S: Final = 0.2
"""How long a program's end waits for the rest of its output before it counts; a daemon may hold the pipes for ever."""


@dataclass(frozen=True, slots=True)
class ScriptCommand:
    """What to start, and the script's file, if it has one, to remove after the end."""

    argv: list[str]
    environ: dict[str, str]
    directory: str
    file: Path | None

    def remove_file(self) -> None:
        if self.file is not None:
            with suppress(OSError):
                self.file.unlink()


NOT_STARTED: Final = 127
"""The exit status of a script that could not be started, as shells have it."""


@dataclass(frozen=True, slots=True)
class ScriptEnd:
    """How a script ended."""

    outcome: Outcome
    exit_status: int


class ScriptRunner:
    """Runs scripts and hands their lines on."""

    def __init__(
        self,
        settings: ScriptSettings,
        append_line: Callable[[QueuedLine], None],
        clock: Clock,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """`tasks` outlives every run: it watches pipes that daemons keep open."""
        self._settings = settings
        self._append_line = append_line
        self._clock = clock
        self._tasks = tasks

    def say(self, script: ManifestScript, level: str, text: str) -> None:
        """Add a line of the agent's own to a script's log without running it."""
        logger.warning("Script %s: %s", _name_of(script), text)
        self._append_line(QueuedLine(script.log_source_id, self._clock.now(), level, text))

    async def run(self, script: ManifestScript, hang_up: asyncio.Event | None = None) -> ScriptEnd:
        """Run a script to its end.

        Args:
            hang_up: when set, the script is ended as if it had timed out.
        """
        log_file = await asyncio.to_thread(open_log_file, script, self._settings)
        output = ScriptOutput(script.log_source_id, self._append_line, self._clock, log_file)
        try:
            command = await asyncio.to_thread(make_command, script, self._settings)
        except OSError as error:
            return _report_unstartable(script, output, error)
        try:
            return await self._run_command(script, command, output, hang_up)
        finally:
            await asyncio.to_thread(command.remove_file)

    async def _run_command(
        self, script: ManifestScript, command: ScriptCommand, output: ScriptOutput, hang_up: asyncio.Event | None
    ) -> ScriptEnd:
        pipes = [OutputPipe(output.take_stdout, output.end_stdout), OutputPipe(output.take_stderr, output.end_stderr)]
        try:
            child = await start_process(command.argv, command.environ, command.directory, pipes)
        except OSError as error:
            return _report_unstartable(script, output, error)
        logger.info("Script %s started.", _name_of(script))
        try:
            outcome = await self._supervise(script, child, output, hang_up)
        except BaseException:
            await child.end()
            await child.close_pipes()
            raise
        finally:
            output.release()
        logger.info("Script %s %s (exit status %d).", _name_of(script), outcome.value, child.exit_status)
        if child.has_open_pipes:
            self._tasks.create_task(
                self._watch_open_pipes(child, output), name=f"pipes of script {script.log_source_id}"
            )
        return ScriptEnd(outcome, child.exit_status)

    async def _supervise(
        self, script: ManifestScript, child: ChildProcess, output: ScriptOutput, hang_up: asyncio.Event | None
    ) -> Outcome:
        timeout_s = script.timeout / NANOSECONDS if script.timeout > 0 else None
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(child.watch_exit())
            ends = [child.exited] if hang_up is None else [child.exited, hang_up]
            await wait_for_first(ends, self._clock, timeout_s)
            if not child.exited.is_set():
                interrupted = hang_up is not None and hang_up.is_set()
                if not interrupted:
                    output.say("error", f"The script was ended: it passed its timeout of {timeout_s:g} s.")
                await child.hang_up(self._clock)
                await watcher
                return Outcome.FAILED if interrupted else Outcome.TIMED_OUT
            # Usually the pipes end with the program; what it wrote should be seen before its end is.
            await wait_for_all(child.pipes_ended, self._clock, PIPE_GRACE_S)
        if child.exit_status == 0:
            return Outcome.SUCCEEDED
        output.say("error", f"The script exited with status {child.exit_status}.")
        return Outcome.FAILED

    async def _watch_open_pipes(self, child: ChildProcess, output: ScriptOutput) -> None:
        try:
            if not await wait_for_all(child.pipes_ended, self._clock, DRAIN_S - PIPE_GRACE_S):
                output.say(
                    "warn",
                    f"The script ended {DRAIN_S:g} s ago, but a program that it started still holds its output open. "
                    "What that program writes is shown here; redirect its output to a file to avoid this.",
                )
            for ended in child.pipes_ended:
                await ended.wait()
        finally:
            # Cancelled: whoever takes the lines is about to be gone.
            await child.close_pipes()


def make_command(script: ManifestScript, settings: ScriptSettings) -> ScriptCommand:
    """Write the script to a file where needed, and find out how to start it. Touches the disk: call it in a thread.

    A script with a #! line is given to its interpreter as a file, with the line's one argument as the kernel does it,
    so that it runs from a folder that is mounted noexec.

    Raises:
        OSError: the file can't be written.
    """
    text = script.script
    file: Path | None = None
    argv = [settings.shell, "-c", text]
    if text.startswith("#!") or len(text.encode()) > MAX_ARGUMENT_BYTES:
        file = settings.data_dir.scripts_dir / f"{uuid.uuid4()}.script"
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o700)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as written:
            written.write(text)
        argv = [*_interpreter_of(text, settings.shell), str(file)]
    data_dir = settings.data_dir.make_script_data_dir(script.log_source_id)
    environ = settings.environ | {"CODER_SCRIPT_DATA_DIR": str(data_dir)}
    return ScriptCommand(argv, environ, settings.find_working_directory(), file)


def open_log_file(script: ManifestScript, settings: ScriptSettings) -> int | None:
    """Open a script's log file anew; None, and a line in the agent's log, when that fails."""
    log_path = script.log_path or f"coder-script-{script.log_source_id}.log"
    path = expand_path(log_path, settings.environ, settings.home, str(settings.log_dir))
    try:
        if path in STANDARD_STREAMS:
            # Not opened: they are links, perhaps to a pipe of another user, or to a file that has our own lines, too.
            return os.dup(STANDARD_STREAMS[path])
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return _open_own_file(path)
    except OSError as error:
        logger.warning("The script's log file %s can't be written: %s", path, error)
        return None


def _open_own_file(path: str) -> int:
    """Open and empty a file of our own; raises OSError for anybody else's. The folder is often /tmp.

    Neither through a symbolic link nor into a file or pipe that somebody else has put there to read along. Devices are
    nobody's trap: a template may send its output to /dev/null.
    """
    # Without O_NONBLOCK, a pipe that nobody reads would hold us here for ever.
    flags = os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() and not stat.S_ISCHR(status.st_mode):
            raise PermissionError(errno.EPERM, "The file belongs to another user", path)
        if stat.S_ISREG(status.st_mode):
            os.ftruncate(descriptor, 0)
        os.set_blocking(descriptor, True)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _interpreter_of(text: str, shell: str) -> list[str]:
    first_line = text.split("\n", 1)[0]
    words = first_line[2:].strip().split(None, 1) if first_line.startswith("#!") else []
    return words or [shell]


def _report_unstartable(script: ManifestScript, output: ScriptOutput, error: OSError) -> ScriptEnd:
    output.say("error", f"The script could not be started: {error}.")
    output.close()
    logger.warning("Script %s could not be started: %s", _name_of(script), error)
    return ScriptEnd(Outcome.FAILED, NOT_STARTED)


def _name_of(script: ManifestScript) -> str:
    return script.display_name or script.log_source_id
