"""`genba cp`."""

from __future__ import annotations

import asyncio
import os
import posixpath
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.copy_places import LocalPlace, RemotePlace, parse_place
from genba_ide_bridge.cli.output import note
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.sessions.agent_link import SessionOver
from genba_wire.errors import StreamRefused
from genba_wire.tunnel.files import escape_path

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.sessions.copying import Copier

REDRAW_S: Final = 0.2


@click.command("cp", cls=GenbaCommand)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.argument("target")
@click.option("-r", "-R", "--recursive", "is_recursive", is_flag=True, help="Copy folders, with everything in them.")
@click.option("-q", "--quiet", "is_quiet", is_flag=True, help="Don't show how far it is.")
def cp(sources: tuple[str, ...], target: str, is_recursive: bool, is_quiet: bool) -> int:
    """Copy files between this machine and a workspace.

    One side is [OWNER/]WORKSPACE[.AGENT]:PATH, where PATH is absolute or below the home folder. Permissions and times
    are kept, symbolic links inside folders too. A copy that was interrupted is gone on with by the same command.
    """
    places, there = [parse_place(source) for source in sources], parse_place(target)
    remote = [place for place in (*places, there) if isinstance(place, RemotePlace)]
    is_download = isinstance(there, LocalPlace)
    if len({place.target for place in remote}) != 1 or any(
        isinstance(each, LocalPlace) == is_download for each in places
    ):
        raise click.UsageError("One side has to be WORKSPACE:PATH, the other local paths.")

    async def copy(client: GatewayClient) -> int:
        from genba_ide_bridge.cli.tunnels import tunnel_to
        from genba_ide_bridge.sessions.copying import Copier
        from genba_ide_bridge.sessions.files import RemoteFiles

        progress = _Progress(is_shown=sys.stderr.isatty() and not is_quiet)
        async with tunnel_to(client, remote[0].target, command="cp", purpose="files") as (tunnel, name):
            copier = Copier(RemoteFiles(tunnel), progress, is_recursive=is_recursive)
            try:
                await _copy_all(copier, places, there)
            except SessionOver as over:
                raise BridgeError(over.verdict.reason, over.verdict.hint) from over
            except StreamRefused as refusal:
                raise BridgeError(f"The agent {name} refused: {refusal.reason}") from refusal
        return progress.finish(is_quiet=is_quiet)

    return run_with_gateway(copy)


async def _copy_all(copier: Copier, places: list[LocalPlace | RemotePlace], there: LocalPlace | RemotePlace) -> None:
    if isinstance(there, LocalPlace):
        is_folder = await asyncio.to_thread(os.path.isdir, there.path)
    else:
        is_folder = await copier.is_remote_folder(there.path)
    if len(places) > 1 and not is_folder:
        raise BridgeError(f"{there.path} is no folder, so only one file can be copied to it.")
    for place in places:
        if isinstance(place, RemotePlace) and isinstance(there, LocalPlace):
            await copier.download(place.path, os.path.join(there.path, _local(place.name)) if is_folder else there.path)
        elif isinstance(place, LocalPlace) and isinstance(there, RemotePlace):
            name = escape_path(os.fsencode(place.name))
            await copier.upload(place.path, posixpath.join(there.path, name) if is_folder else there.path)


def _local(name: str) -> str:
    from genba_wire.tunnel.files import unescape_path

    return os.fsdecode(unescape_path(name)) if name not in ("", ".", "..", "~") else ""


class _Progress:
    """Counts, shows how far it is on a terminal, and says what failed."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._began = time.monotonic()
        self._drawn = 0.0
        self._size = 0
        self._files = 0
        self._failures = 0

    def copied(self, size: int) -> None:
        """Count bytes."""
        self._size += size
        now = time.monotonic()
        if self._is_shown and now - self._drawn >= REDRAW_S:
            self._drawn = now
            sys.stderr.write(f"\r\x1b[K{self._sum()}")
            sys.stderr.flush()

    def file_done(self) -> None:
        """Count a file."""
        self._files += 1

    def failed(self, path: str, reason: str) -> None:
        """Say what went wrong."""
        self._failures += 1
        self._clear()
        note(f"error: {path}: {reason}")

    def finish(self, *, is_quiet: bool) -> int:
        """Say what was done; returns the exit code."""
        self._clear()
        if not is_quiet:
            note(f"Copied {self._sum()}.")
        return 1 if self._failures else 0

    def _clear(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")

    def _sum(self) -> str:
        span_s = max(time.monotonic() - self._began, 0.001)
        files = "1 file" if self._files == 1 else f"{self._files} files"
        return f"{files}, {self._size / 1e6:.1f} MB, {self._size / 1e6 / span_s:.1f} MB/s"
