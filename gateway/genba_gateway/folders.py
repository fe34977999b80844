"""The gateway's folders below its data folder."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genba_gateway.errors import ConfigError

MAX_RUNTIME_PATH_CHARS: Final = 60
"""A unix socket's path may have 107 bytes, of which the provider needs the rest."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where things are kept; all folders are 0700."""

    data: Path
    provisioner: Path
    host_workspaces: Path
    runtime: Path

    @property
    def database(self) -> Path:
        """The embedded database's file."""
        return self.data / "genba.db"

    @property
    def key_file(self) -> Path:
        """The encryption keys of secret columns."""
        return self.data / "encryption-keys"


def prepare_folders(data_dir: Path) -> Folders:
    """Make the folders.

    Raises:
        ConfigError: the data folder can't be made or written to.
    """
    runtime = data_dir / "run"
    if len(str(runtime)) > MAX_RUNTIME_PATH_CHARS:
        runtime = Path(tempfile.mkdtemp(prefix="genba-"))
    folders = Folders(data_dir, data_dir / "provisioner", data_dir / "hosts", runtime)
    try:
        for folder in (data_dir, folders.provisioner, folders.host_workspaces, folders.runtime):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = data_dir / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"The data folder {data_dir} can't be written to ({error.strerror}): choose another with --data-dir."
        ) from error
    return folders
