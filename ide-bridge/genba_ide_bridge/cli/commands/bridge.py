"""`genba bridge`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.running import current_settings

if TYPE_CHECKING:
    from genba_ide_bridge.lsp.server import Editor

CLOSING_S: Final = 0.8
"""How long the end may take. An editor that ends waits for its language servers; a gateway may never answer."""


@click.command("bridge", cls=GenbaCommand)
@click.option("--stdio", is_flag=True, help="Speak LSP on standard input and output.")
@click.option("--ws", metavar="HOST:PORT", help="Speak LSP on a websocket of a loopback address; port 0: any free one.")
@click.option("--clientProcessId", "client_process_id", hidden=True, help="Passed by some editors; not needed.")
def bridge(stdio: bool, ws: str | None, client_process_id: str | None) -> None:
    """Serve an editor: a language server that lists workspaces, follows logs and opens terminals (docs/bridge.md)."""
    del client_process_id
    if stdio == (ws is not None):
        raise click.UsageError("Give one of --stdio and --ws HOST:PORT.")
    settings = current_settings()
    _log_to_stderr(is_verbose=settings.is_verbose)
    from genba_ide_bridge.lsp.server import run_bridge

    editor = _editor_on_stdio() if ws is None else _editor_on_websocket(*parse_address(ws))
    code = asyncio.run(run_bridge(settings, editor, _end_soon))
    if code:
        raise click.exceptions.Exit(code)


def parse_address(text: str) -> tuple[str, int]:
    """Read HOST:PORT of a loopback address.

    Raises:
        click.UsageError: it is not one.
    """
    from genba_ide_bridge.lsp.loopback import LOOPBACK_NAMES

    try:
        parts = urlsplit(f"//{text}")
        host, port, is_plain = parts.hostname, parts.port, parts.netloc == text
    except ValueError:
        host, port, is_plain = None, None, False
    if host not in LOOPBACK_NAMES or port is None or not is_plain:
        raise click.UsageError(f'--ws takes a loopback address such as 127.0.0.1:0, not "{text}".')
    # Where localhost means two addresses, the port would be free on one of them only.
    return ("127.0.0.1" if host == "localhost" else host), port


def _editor_on_stdio() -> Editor:
    from genba_ide_bridge.lsp.stdio import StdioEditor

    sys.stdout.flush()
    output_fd = os.dup(sys.stdout.fileno())
    # Whatever else writes to standard output would break the messages; it goes to the log.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return StdioEditor(sys.stdin.fileno(), output_fd)


def _editor_on_websocket(host: str, port: int) -> Editor:
    from genba_ide_bridge.lsp.websocket_editor import WebSocketEditor

    def announce(url: str, token: str) -> None:
        click.echo(json.dumps({"url": url, "token": token}))
        sys.stdout.flush()

    return WebSocketEditor(host, port, announce)


def _log_to_stderr(*, is_verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if is_verbose:
        # Ours only: what libraries log below warnings holds whole messages, and with them tokens.
        logging.getLogger("genba_ide_bridge").setLevel(logging.DEBUG)


def _end_soon(exit_code: int) -> None:
    timer = threading.Timer(CLOSING_S, os._exit, [exit_code])
    timer.daemon = True
    timer.start()
