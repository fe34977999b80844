"""`genba vscodessh`: what editor extensions before 2.19 have as their ProxyCommand."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.running import current_settings, run_with_token
from genba_ide_bridge.cli.session import normalize_url
from genba_ide_bridge.cli.session_options import log_dir_option, network_info_options, wait_option
from genba_ide_bridge.cli.ssh_hosts import parse_vscode_host
from genba_ide_bridge.cli.targets import get_workspace
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("vscodessh", cls=GenbaCommand)
@click.argument("host", metavar="coder-vscode.HOST--OWNER--WORKSPACE[.AGENT]")
@network_info_options
@log_dir_option
@click.option("--session-token-file", type=_FILE, required=True, help="Holds the session token.")
@click.option("--url-file", type=_FILE, required=True, help="Holds the gateway's address.")
@wait_option()
def vscodessh(
    host: str,
    network_info_dir: Path | None,
    network_info_interval: timedelta,
    log_dir: Path | None,
    session_token_file: Path,
    url_file: Path,
    wait: str,
) -> int:
    """Be the ProxyCommand of an editor's ssh; a stopped workspace is never started."""
    from genba_ide_bridge.cli.stdio_session import StdioOptions, begin_logging, carry, leave

    target = parse_vscode_host(host)
    settings = current_settings()
    options = StdioOptions(
        network_info_dir=network_info_dir,
        network_info_interval_s=network_info_interval.total_seconds(),
        usage_app="vscode",
        log_dir=log_dir,
        log_name=f"{os.getppid()}.log",
        is_verbose=settings.is_verbose,
    )
    url, token = normalize_url(_read(url_file)), _read(session_token_file)
    begin_logging(options)

    async def carry_bytes(client: GatewayClient) -> int:
        from genba_ide_bridge.cli.agent_readiness import Wish

        workspace = await get_workspace(client, target)
        return await carry(client, target, workspace, Wish(command="ssh", wait=wait), options)

    leave(run_with_token(settings, url, token, carry_bytes))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BridgeError(
            f"Can't read {path}: {error}.", "Connect from the editor again: it writes this file."
        ) from error
