"""Real parts that tests take from Debian's packages when they may."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
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


def fetch_package(package: str, folder: Path) -> Path:
    """Unpack a Debian package below `folder` without installing it; returns the folder that stands for `/`.

    Raises:
        MissingPart: it can't be had.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingPart(f"Debian's package {package} can't be fetched without apt-get and dpkg-deb")
    root = folder / package
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        fetch = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", package]
        done = subprocess.run(fetch, cwd=work, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False)
        debs = list(Path(work).glob("*.deb"))
        if done.returncode != 0 or not debs:
            raise MissingPart(f"apt-get could not download {package}: {done.stderr.strip().splitlines()[-1:]}")
        subprocess.run(["dpkg-deb", "-x", debs[0], root], check=True, timeout=INSTALL_LIMIT_S)
    return root
