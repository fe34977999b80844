"""Real parts that tests take from Debian's packages when they may."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

INSTALL_LIMIT_S: Final = 600


class MissingPart(Exception):
    """A real part that a test needs is not here and can't be had; the message is the reason to skip with."""


def require_program(program: str, package: str) -> str:
    """Return where a program is; install its Debian package when it is absent and this is root.

    Raises:
        MissingPart: it can't be had.
    """
    if found := shutil.which(program):
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise MissingPart(f"{program} is not on PATH (Debian's package {package} has it)")
    command = ["apt-get", "install", "-y", "--no-install-recommends", package]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False
    )
    found = shutil.which(program)
    if done.returncode != 0 or found is None:
        said = done.stderr.strip().splitlines()
        raise MissingPart(f"{program} is not on PATH and apt-get could not install {package}: {said[-1:] or 'absent'}")
    return found
