"""Where `genba cp` copies from and to: local paths, and `[OWNER/]WORKSPACE[.AGENT]:PATH`."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import Final

from genba_ide_bridge.cli.targets import WorkspaceTarget, parse_target
from genba_wire.tunnel.files import escape_path

_REMOTE: Final = re.compile(r"(?P<workspace>[^:/\\]+(?:/[^:/\\]+)?):(?P<path>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RemotePlace:
    """An escaped path of a workspace; an empty one is its home folder."""

    target: WorkspaceTarget
    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class LocalPlace:
    """A path of this machine."""

    path: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(os.path.abspath(self.path))


def parse_place(text: str) -> LocalPlace | RemotePlace:
    """Tell a path of a workspace from a local one; a local path with a colon begins with `./` or `/`.

    Raises:
        click.BadArgumentUsage: what is before the colon names no workspace.
    """
    match = _REMOTE.fullmatch(text)
    is_drive = sys.platform == "win32" and text[1:2] == ":"
    if match is None or is_drive or text.startswith((".", "~")):
        return LocalPlace(text)
    return RemotePlace(parse_target(match["workspace"]), escape_path(os.fsencode(match["path"])))
