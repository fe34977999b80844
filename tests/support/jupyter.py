"""JupyterLab for tests, from PyPI, in an environment of its own that is kept between runs: a peer, no dependency."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.debian_packages import MissingPart
from tests.support.kept_peers import keep_peer

VERSION: Final = "4.6.6"

STEP_LIMIT_S: Final = 600


def install_jupyter() -> Path:
    """Return the Python that has JupyterLab.

    Raises:
        MissingPart: it can't be had here; says why.
    """
    name = f"jupyterlab-{VERSION}-py{sys.version_info.major}{sys.version_info.minor}"
    return keep_peer(name, _make) / "bin" / "python"


def _make(folder: Path) -> Path:
    environment = folder / "venv"
    # It is moved when it is done, which its Python does not mind; its other programs, which do, are not used.
    _run([sys.executable, "-m", "venv", str(environment)])
    python = str(environment / "bin" / "python")
    _run([python, "-m", "pip", "install", "--quiet", "--no-compile", f"jupyterlab=={VERSION}"])
    return environment


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=STEP_LIMIT_S, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or [f"exit code {done.returncode}"]
        raise MissingPart(f"JupyterLab {VERSION} can't be installed: {said[-1]}")
