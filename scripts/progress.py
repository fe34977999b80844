"""Run a program so that the terminal never falls silent."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

TICK_S: Final = 4.0
"""A line is printed when nothing was for this long; a person looks for trouble after about five seconds."""

LOOK_S: Final = 0.5
"""How often it is seen whether so long a silence has passed."""

KEPT_LINES: Final = 200
"""How much of the output is kept for whoever has to explain a failure."""


def say(line: str) -> None:
    """Print a line for people; stdout belongs to results."""
    print(line, file=sys.stderr, flush=True)


class Ticker:
    """Says every `TICK_S` of silence that something still goes on."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = self._spoke = time.monotonic()

    def spoke(self) -> None:
        """Note that a line was printed."""
        self._spoke = time.monotonic()

    def tick(self, detail: str = "") -> None:
        """Print a line if it was silent for long enough."""
        now = time.monotonic()
        if now - self._spoke >= TICK_S:
            self._spoke = now
            say(f"  {self._title}: {now - self._began:.0f} s{', ' + detail if detail else ''}")


def run_step(
    title: str,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], str | None] = lambda line: f"  {line}",
    log: Path | None = None,
) -> tuple[int, list[str]]:
    """Run a program with its output shown as it comes, and a line whenever it is silent.

    Args:
        title: what ticks say is going on.
        on_line: what to print for a line of output; None prints nothing.
        log: where the whole output goes as well.

    Returns:
        The exit code and the last lines of the output.
    """
    ticker = Ticker(title)
    kept: list[str] = []
    sink = log.open("a", encoding="utf-8") if log else None
    with subprocess.Popen(
        argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            for line in _lines(process.stdout.fileno(), ticker):
                kept = [*kept[1 - KEPT_LINES :], line]
                if sink:
                    sink.write(line + "\n")
                if shown := on_line(line):
                    say(shown)
                    ticker.spoke()
            return process.wait(), kept
        except BaseException:
            process.terminate()
            raise
        finally:
            if sink:
                sink.close()


@contextmanager
def ticking(title: str) -> Generator[None]:
    """Say now and then that work of our own process still goes on, while the block runs."""
    done = threading.Event()
    ticker = Ticker(title)

    def tick() -> None:
        while not done.wait(LOOK_S):
            ticker.tick()

    thread = threading.Thread(target=tick, name=title, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _lines(fd: int, ticker: Ticker) -> Generator[str]:
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while True:
            if not selector.select(timeout=LOOK_S):
                ticker.tick()
                continue
            chunk = os.read(fd, 65536)
            if not chunk:
                break
            *lines, buffer = (buffer + chunk).split(b"\n")
            yield from (_text(line) for line in lines)
            ticker.tick()
    if buffer:
        yield _text(buffer)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")
