"""The agent's folder of one workspace: script data, programs that scripts install, unsent log lines.

<script data dir>/coder-script-data-<workspace>-<agent>/     0700
    bin/            CODER_SCRIPT_BIN_DIR
    data/<script>/  CODER_SCRIPT_DATA_DIR
    scripts/        scripts with a #! line, while they run
    spool/<agent id>/   unsent log lines (log_spool)
"""

from __future__ import annotations

import logging
import os
import re
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from genba_wire.api.agent_protocol import Manifest

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DataDir:
    """Paths in the folder; they exist."""

    root: Path
    agent_id: str

    @property
    def bin_dir(self) -> Path:
        return self.root / "bin"

    @property
    def scripts_dir(self) -> Path:
        return self.root / "scripts"

    @property
    def spool_dir(self) -> Path:
        return self.root / "spool" / _safe(self.agent_id)

    def make_script_data_dir(self, script_id: str) -> Path:
        """Return the folder for one script's own files, made when it is absent and can be made."""
        path = self.root / "data" / _safe(script_id)
        with suppress(OSError):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


def open_data_dir(script_data_dir: Path, manifest: Manifest) -> DataDir:
    """Make the folder, or find the one of an earlier process of the same agent.

    Its parent is often /tmp, where anybody may have made a folder of that name: one that is not ours is not used.
    """
    name = f"coder-script-data-{_safe(manifest.workspace_id)[:13]}-{_safe(manifest.agent_name)}"
    root = script_data_dir / name
    try:
        script_data_dir.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
        status = root.lstat()
        is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        problem = None if is_ours else "it belongs to somebody else"
    except OSError as error:
        problem = str(error)
    if problem is None:
        root.chmod(0o700)
    else:
        root = _make_substitute(root, problem)
    data_dir = DataDir(root=root, agent_id=manifest.agent_id)
    # Where even this fails, scripts still run; only what needs the folders doesn't work.
    with suppress(OSError):
        for path in (data_dir.bin_dir, data_dir.scripts_dir, data_dir.spool_dir):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return data_dir


def _make_substitute(root: Path, problem: str) -> Path:
    try:
        substitute = Path(tempfile.mkdtemp(prefix="coder-script-data-"))
    except OSError:
        substitute = root.with_name(f"{root.name}-unusable")
    logger.warning(
        "Can't use %s (%s): using %s, which a restarted agent won't find. Set CODER_AGENT_SCRIPT_DATA_DIR.",
        root,
        problem,
        substitute,
    )
    return substitute


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "_"
