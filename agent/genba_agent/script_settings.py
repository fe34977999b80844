"""What all programs of the workspace share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genba_agent.data_dir import DataDir
from genba_agent.environment import build_environment, expand_path
from genba_agent.options import AgentOptions
from genba_agent.user import find_user
from genba_wire.api.agent_protocol import Manifest


@dataclass(frozen=True, slots=True)
class ScriptSettings:
    """How scripts run. `environ` is complete but for CODER_SCRIPT_DATA_DIR."""

    shell: str
    home: str
    directory: str
    environ: dict[str, str]
    log_dir: Path
    data_dir: DataDir

    def find_working_directory(self) -> str:
        """Return the template's directory, once something has made it; the home folder before that."""
        return next((path for path in (self.directory, self.home) if os.path.isdir(path)), "/")


def make_settings(
    manifest: Manifest, options: AgentOptions, command: list[str], data_dir: DataDir, process_environ: Mapping[str, str]
) -> ScriptSettings:
    """Work out what the workspace's programs run with."""
    user = find_user(process_environ)
    environ = build_environment(
        process_environ,
        manifest,
        user,
        command=command,
        url=options.address.url,
        token=options.address.token,
        data_dir=data_dir,
    )
    directory = expand_path(manifest.directory or "~", environ, user.home, user.home)
    return ScriptSettings(
        shell=user.shell,
        home=user.home,
        directory=directory,
        environ=environ,
        log_dir=options.log_dir,
        data_dir=data_dir,
    )
