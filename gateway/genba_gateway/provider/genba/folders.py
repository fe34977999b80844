"""The folder of a host workspace, and how it is made and removed.

<root>/<workspace id>/genba-workspace    says that the folder is ours to remove
<root>/<workspace id>/home/              the user's files
<root>/<workspace id>/logs/<agent>/      kept while the workspace is stopped
<root>/<workspace id>/data/<agent>/      likewise
<root>/<workspace id>/run/<agent>/       lock and token; there while the agent is
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

OWNERSHIP_FILE = "genba-workspace"
TOKEN_FILE = "token"
OUTPUT_FILE = "output.log"

# Ids become path components.
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class WorkspaceFolder:
    """Names what a workspace's folder holds."""

    path: Path

    @classmethod
    def below(cls, root: Path, workspace_id: str) -> WorkspaceFolder:
        """Give the folder of a workspace.

        Raises:
            ValueError: the id can't be a folder's name.
        """
        if not SAFE_NAME.fullmatch(workspace_id):
            raise ValueError(f"{workspace_id!r} is no workspace id")
        # Markers in processes' environments hold this path, so it has to be the same whoever computes it.
        return cls(Path(os.path.realpath(root)) / workspace_id)

    @property
    def home(self) -> Path:
        """The user's files."""
        return self.path / "home"

    @property
    def is_ours(self) -> bool:
        """Say whether this folder was made here and may be removed."""
        return (self.path / OWNERSHIP_FILE).is_file()

    def run(self, agent: str) -> Path:
        """Give the folder of a running agent."""
        return self.path / "run" / agent

    def data(self, agent: str) -> Path:
        """Give the folder of what an agent keeps: its scripts' data, and log lines that were not delivered yet."""
        return self.path / "data" / agent

    def logs(self, agent: str) -> Path:
        """Give the folder of an agent's logs."""
        return self.path / "logs" / agent

    def make(self) -> None:
        """Make the folder and say that it is ours."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.path / OWNERSHIP_FILE).touch(mode=0o600)

    def remove(self) -> None:
        """Remove the folder with all its content; nothing happens when it isn't there or isn't ours.

        Raises:
            OSError: something can't be removed.
        """
        if self.is_ours:
            # Last, so that a removal that failed half-way can be tried again.
            for entry in list(self.path.iterdir()):
                if entry.name != OWNERSHIP_FILE:
                    remove_tree(entry)
            remove_tree(self.path)


def remove_tree(path: Path) -> None:
    """Remove a folder or file, folders without write permission included (Go's module cache has them).

    Raises:
        OSError: something can't be removed.
    """

    def retry(function: Callable[..., object], name: str, info: object) -> None:
        del info
        parent = os.path.dirname(name)
        os.chmod(parent, stat.S_IRWXU)
        if os.path.isdir(name) and not os.path.islink(name):
            os.chmod(name, stat.S_IRWXU)
            shutil.rmtree(name)
        elif os.path.lexists(name):
            os.unlink(name)
        del function

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, onerror=retry)
    else:
        path.unlink(missing_ok=True)
