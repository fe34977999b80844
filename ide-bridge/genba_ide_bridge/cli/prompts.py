"""Questions, on a terminal only: elsewhere they are an error that names the flag with the answer.

Templates write questions, choices and defaults: none holds anything that a terminal would obey when it is shown.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

import click

from genba_ide_bridge.cli.options import GlobalFlags, Settings
from genba_wire.visible_text import visible_name, visible_text


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
    shown = visible_text(question) + (f" [{visible_name(default)}]" if default is not None else "")
    with _interruptible():
        answer: str = click.prompt(
            shown, default=default, show_default=False, err=True, value_proc=_in_plain_words(check or _plain)
        )
    return answer


def ask_secret(question: str, flag: str, *, twice: bool = False) -> str:
    """Ask for something that is not shown."""
    require_terminal(question, flag)
    with _interruptible():
        answer: str = click.prompt(visible_text(question), hide_input=True, confirmation_prompt=twice, err=True)
    return answer


def choose(question: str, flag: str, choices: Sequence[tuple[str, str]], *, default: str | None = None) -> str:
    """Let somebody choose by number or value; `choices` are (value, what it is)."""
    require_terminal(question, flag)
    click.echo(visible_text(question) + ":", err=True)
    for number, (value, text) in enumerate(choices, start=1):
        label = " ".join(text.split())
        shown = f"{value}  {label}" if value and label not in ("", value) else value or label
        # On one line: a second might pass for another choice.
        click.echo(f"  {number}) {visible_name(shown)}", err=True)
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
        click.confirm(visible_text(question), default=default, abort=True, err=True)


def require_terminal(question: str, flag: str) -> None:
    """Refuse to ask where nobody can answer."""
    if not can_ask():
        raise click.UsageError(f"{question.rstrip('?')}: nobody can be asked here, so pass {flag}.")


def _plain(answer: str) -> str:
    return answer


def _in_plain_words(check: Callable[[str], str]) -> Callable[[str], str]:
    def checked(answer: str) -> str:
        try:
            return check(answer)
        except click.UsageError as error:
            raise click.UsageError(visible_text(error.message)) from error

    return checked


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
