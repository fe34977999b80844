"""What scripts run with, in a test's folder."""

from __future__ import annotations

import os
from pathlib import Path

from genba_agent.data_dir import open_data_dir
from genba_agent.script_settings import ScriptSettings
from tests.support.agent_builders import make_manifest


def make_script_settings(folder: Path, shell: str = "/bin/sh") -> ScriptSettings:
    return ScriptSettings(
        shell=shell,
        home=str(folder),
        directory=str(folder / "src"),
        environ={"PATH": os.environ["PATH"], "HOME": str(folder)},
        log_dir=folder / "logs",
        data_dir=open_data_dir(folder / "data", make_manifest()),
    )
