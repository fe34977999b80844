"""How this program is started again by others: by ssh, by an editor."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path


def own_command(environment: Mapping[str, str], argv0: str) -> list[str]:
    """The words before a subcommand, with an absolute path.

    Args:
        environment: an assembled executable names itself in it, as GENBA_EXECUTABLE.
        argv0: how this process was called.
    """
    executable = environment.get("GENBA_EXECUTABLE")
    if executable:
        return [str(Path(executable).absolute())]
    is_path = Path(argv0).name != argv0
    found = argv0 if is_path else shutil.which(argv0)
    if found and not found.endswith(".py") and os.access(found, os.X_OK) and Path(found).is_file():
        return [str(Path(found).absolute())]
    # Without -P Python would first look into whatever folder it is started in.
    return [sys.executable, "-P", "-m", "genba_ide_bridge"]
