"""Questions, on a terminal only: elsewhere they are an error that names the flag with the answer."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import click

from genba_ide_bridge.cli.options import GlobalFlags, Settings


def can_ask() -> bool:
    """Whether somebody sits at the other end, or a program that says so (--force-tty)."""
    return (sys.stdin.isatty() and sys.stderr.isatty()) or _is_forced()


def _is_forced() -> bool:
    context = click.get_current_context(silent=True)
    return context is not None and Settings(context.find_root().ensure_object(GlobalFlags)).forces_terminal


def ask(question: str, flag: str, *, default: str | None = None, check: Callable[[str], str] | None = None) -> str:
    """Ask for a line.

    Args:
        question: what to ask, without a colon.
        flag: what would have answered it, for those who can't be asked.
        default: the answer to an empty line; None when there has to be one.
        check: returns the answer to use, or raises click.UsageError with what is wrong; then it is asked again.
    """
    require_terminal(question, flag)
    with _interruptible():
        answer: str = click.prompt(question, default=default, err=True, value_proc=check or _plain)
    return answer


def ask_secret(question: str, flag: str, *, twice: bool = False) -> str:
    """Ask for something that is not shown."""
    require_terminal(question, flag)
    with _interruptible():
        answer: str = click.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
    return answer


def choose(question: str, flag: str, choices: Sequence[tuple[str, str]], *, default: str | None = None) -> str:
    """Let somebody choose by number or value; `choices` are (value, what it is)."""
    require_terminal(question, flag)
    click.echo(question + ":", err=True)
    for number, (value, label) in enumerate(choices, start=1):
        shown = label if label == value or not label else f"{value}  {label}" if value else label
        click.echo(f"  {number}) {shown}", err=True)
    values = [value for value, _ in choices]

    def pick(answer: str) -> str:
        if answer in values:
            return answer
        if answer.isdecimal() and 1 <= int(answer) <= len(values):
            return values[int(answer) - 1]
        raise click.UsageError(f"Answer with a number from 1 to {len(values)}.")

    return ask("Number", flag, default=default, check=pick)


def confirm(question: str, *, default: bool = False) -> None:
    """Go on only after a yes; `default` is what an empty line means.

    Raises:
        click.Abort: somebody said no.
        click.UsageError: nobody can be asked.
    """
    require_terminal(question, "--yes")
    with _interruptible():
        click.confirm(question, default=default, abort=True, err=True)


def require_terminal(question: str, flag: str) -> None:
    """Refuse to ask where nobody can answer."""
    if not can_ask():
        raise click.UsageError(f"{question.rstrip('?')}: nobody can be asked here, so pass {flag}.")


def _plain(answer: str) -> str:
    return answer


@contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C end a question.

    asyncio answers the first Ctrl-C by cancelling the main task, which a task that waits for a line never sees.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
