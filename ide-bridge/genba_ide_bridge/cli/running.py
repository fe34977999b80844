"""From a command to the gateway, and from errors to what the user reads and the exit code.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeVar

import click

from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.cli.options import GlobalFlags, Settings
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.diagnosis.pages import find_title, is_page
from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_wire.errors import GatewayRefused, WireError
from genba_wire.version import VERSION
from genba_wire.visible_text import visible_name

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient

ResultT = TypeVar("ResultT")

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def run_command(target: str, name: str, arguments: list[str]) -> int:
    """Run one of our click commands; returns the exit code."""
    flags = GlobalFlags()
    settings = Settings(flags)
    try:
        module_name, _, attribute = target.partition(":")
        command: object = getattr(import_module(module_name), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{target} is not a command")
        code: object = command.main(arguments, prog_name=f"genba {name}", standalone_mode=False, obj=flags)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("\nInterrupted.\n")
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  the edge of the program: say it in words, -v shows the rest
        if _is_broken_pipe(error):
            # Whoever read our output has gone, as in `genba logs -f ws | head`; leave nothing for Python to flush.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return EXIT_FAILED
        return _report(_first_of(error), settings)
    return code if isinstance(code, int) else 0


def current_settings() -> Settings:
    """The settings of the command that runs."""
    return Settings(click.get_current_context().find_root().ensure_object(GlobalFlags))


def run_with_gateway(action: Callable[[GatewayClient], Coroutine[object, object, ResultT]]) -> ResultT:
    """Run a command's work with a client that is signed in.

    Raises:
        NotSignedIn: no session for that gateway.
    """
    settings = current_settings()
    url, token = settings.url(), settings.token()
    if not token and not _may_be_without_token(settings, url):
        raise NotSignedIn(f"You are not signed in to {url}.", f"Run `genba login {url}`.")
    return run_with_token(settings, url, token, action)


def run_with_token(
    settings: Settings, url: str, token: str, action: Callable[[GatewayClient], Coroutine[object, object, ResultT]]
) -> ResultT:
    """Run work with a client for that address and token (which may be empty)."""
    return asyncio.run(_run(settings, url, token, action))


async def _run(
    settings: Settings, url: str, token: str, action: Callable[[GatewayClient], Coroutine[object, object, ResultT]]
) -> ResultT:
    from genba_ide_bridge.api.calls import Calls
    from genba_ide_bridge.api.client import GatewayClient

    versions: set[str] = set()
    try:
        async with open_transport(
            url, token, settings.headers(), settings.ca_file, settings.client_cert, settings.client_key
        ) as transport:
            transport.carrier_ways.on_fallback = _note_fallback
            result = await action(GatewayClient(Calls(transport, versions.add)))
    except Exception as error:
        first = _first_of(error)
        if isinstance(first, GatewayRefused) and first.status == 401:
            raise NotSignedIn(
                f"You are not signed in to {url}: {first.message}", f"Run `genba login {url}`."
            ) from error
        raise
    other = versions - {VERSION}
    if other and settings.tells_version:
        sys.stderr.write(
            f"warning: this is genba {VERSION}, the gateway at {url} is {', '.join(sorted(other))}"
            " (--no-version-warning silences this)\n"
        )
    return result


def _note_fallback(reason: str) -> None:
    from genba_wire.aio.carrier_ways import describe_fallback

    # A session may have its terminal in raw mode, where a line's end alone does not go back to its beginning.
    back = "\r" if sys.stderr.isatty() else ""
    note(describe_fallback(reason) + back)


def _may_be_without_token(settings: Settings, url: str) -> bool:
    # A proxy may sign people in by certificate: then the session was kept with an empty token.
    return settings.explicit_token is not None or settings.folder.read_url() == url


def _first_of(error: Exception) -> Exception:
    """What a TaskGroup's error is about."""
    if not isinstance(error, ExceptionGroup):
        return error
    inner: tuple[Exception, ...] = error.exceptions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # isinstance can't narrow its parameter
    return _first_of(inner[0])


def _is_broken_pipe(error: Exception) -> bool:
    """Whether output could not be written, maybe by one of several tasks."""
    if isinstance(error, ExceptionGroup):
        return error.subgroup(BrokenPipeError) is not None  # pyright: ignore[reportUnknownMemberType]  # isinstance can't narrow its parameter
    return isinstance(error, BrokenPipeError)


def _report(error: Exception, settings: Settings) -> int:
    if settings.is_verbose:
        traceback.print_exception(error)
    if isinstance(error, click.UsageError):
        context = error.ctx
        path = context.command_path if context is not None else "genba"
        return _say(error.format_message(), f"`{path} --help` shows the usage.", EXIT_USAGE)
    if isinstance(error, click.ClickException):
        return _say(error.format_message(), "", EXIT_FAILED)
    if isinstance(error, BridgeError):
        return _say(error.message, error.hint, EXIT_FAILED)
    if isinstance(error, GatewayRefused):
        return _say(*describe_refusal(error), EXIT_FAILED)
    if isinstance(error, WireError):
        return _say(str(error), "", EXIT_FAILED)
    if isinstance(error, UnicodeEncodeError) and error.reason.startswith("surrogates"):
        # Python keeps bytes of arguments that are no UTF-8 as lone surrogates (PEP 383).
        return _say("Something in the arguments or the environment is not UTF-8.", "", EXIT_FAILED)
    if isinstance(error, OSError) and error.filename is not None:
        return _say(f"{error.filename}: {error.strerror}", "", EXIT_FAILED)
    hint = "" if settings.is_verbose else "This is a bug of genba. -v shows where."
    return _say(f"{type(error).__name__}: {error}", hint, EXIT_FAILED)


def describe_refusal(refusal: GatewayRefused) -> tuple[str, str]:
    """The gateway's no in words, and what it adds to them; a page is the no of something before it."""
    if is_page(refusal.message):
        remedy = _REMEDY_FOR_SIZE if refusal.status == 413 else "`genba netcheck` looks at the way there."
        return f"Something before the gateway refused the request: {find_title(refusal.message)}.", remedy
    problems = "; ".join(f"{field}: {detail}" for field, detail in refusal.problems)
    return refusal.message, " ".join(part for part in (refusal.detail, problems) if part)


_REMEDY_FOR_SIZE: Final = "Have its limit for bodies raised: in nginx `client_max_body_size 101m`."


def _say(message: str, hint: str, code: int) -> int:
    sys.stderr.write(f"error: {_on_one_line(message)}\n")
    if hint:
        sys.stderr.write(_on_one_line(hint) + "\n")
    return code


def _on_one_line(text: str) -> str:
    return visible_name(" ".join(line.strip() for line in text.strip().splitlines() if line.strip()))
