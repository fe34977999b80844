"""Shows what a job does: a live line on a terminal, else its log as plain lines."""

from __future__ import annotations

import sys
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from genba_ide_bridge.cli.output import note

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from genba_wire.api.jobs import JobLog

TAIL_LINES: Final = 20
"""How much of the log is shown when a job failed behind a live line."""


class OutageNotes:
    """Says once on stderr that the gateway is away, and once that it is back."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._is_away = False

    def gateway_is_away(self, reason: str) -> None:
        """An attempt failed; the transport's reason repeats the address and asks to check it, which fits no outage."""
        del reason
        if not self._is_away:
            self._is_away = True
            note(f"The gateway at {self._base_url} is away; trying again until it is back (Ctrl-C ends).")

    def gateway_is_back(self) -> None:
        """An attempt succeeded."""
        if self._is_away:
            self._is_away = False
            note("The gateway is back.")


class JobProgress(Protocol):
    """Is told what happens to a job; a context manager around the wait for it."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop showing."""
        ...

    def show_queue(self, position: int, size: int) -> None:
        """The job waits for others."""
        ...

    def show_line(self, line: JobLog) -> None:
        """The job said something."""
        ...

    def show_failure_tail(self) -> None:
        """The job failed: show what led there, if it was not shown before."""
        ...


def make_progress(title: str) -> JobProgress:
    """The progress that fits where stdout goes."""
    return LiveProgress(title) if sys.stdout.isatty() else PlainProgress()


def describe_queue(position: int, size: int) -> str:
    """A place in the queue in words."""
    return f"queued {position} of {max(size, position)}" if position > 0 else "queued"


class StageLines:
    """Turns lines of a job's log into text with a headline for each stage."""

    def __init__(self) -> None:
        self._stage = ""

    def text_of(self, line: JobLog) -> list[str]:
        """What to print for a line."""
        texts = [f"==> {line.stage}"] if line.stage and line.stage != self._stage else []
        self._stage = line.stage
        # A line without output only marks the beginning of its stage (contract 4.3).
        return [*texts, line.output] if line.output else texts


class PlainProgress:
    """Lines as they come, on stdout."""

    def __init__(self) -> None:
        self._stages = StageLines()
        self._queue = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        sys.stdout.flush()

    def show_queue(self, position: int, size: int) -> None:
        """Print the place in the queue when it changed."""
        text = describe_queue(position, size)
        if text != self._queue:
            self._queue = text
            print(text, flush=True)

    def show_line(self, line: JobLog) -> None:
        """Print a line."""
        for text in self._stages.text_of(line):
            print(text, flush=True)

    def show_failure_tail(self) -> None:
        """All lines were printed."""


class LiveProgress:
    """One line that changes, with what the job does now and the seconds since it began."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._title = title
        self._now = "waiting for the gateway"
        self._began = time.monotonic()
        self._stages = StageLines()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._live = Live(self, console=Console(highlight=False), refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def show_queue(self, position: int, size: int) -> None:
        """Show the place in the queue."""
        self._now = describe_queue(position, size)

    def show_line(self, line: JobLog) -> None:
        """Show the stage and the latest line."""
        self._tail.extend(self._stages.text_of(line))
        said = line.output.strip()
        self._now = f"{line.stage} · {said}" if line.stage and said else line.stage or said or self._now

    def show_failure_tail(self) -> None:
        """Print the end of the log."""
        for text in self._tail:
            note(text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        elapsed_s = int(time.monotonic() - self._began)
        frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if not options.ascii_only else "|/-\\"
        frame = frames[int((time.monotonic() - self._began) * 8) % len(frames)]
        text = Text.assemble((frame, "cyan"), f" {self._title} · {elapsed_s} s · ", (self._now, "dim"), end="")
        text.truncate(max(options.max_width - 1, 10), overflow="ellipsis")
        yield text
