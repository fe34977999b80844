"""Real parts that tests take from Debian's packages when they may."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scripts.environment import cache_folder, locked
from tests.support.kept_peers import keep_peer

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
    cache_folder().mkdir(parents=True, exist_ok=True)
    with locked(cache_folder() / "apt.lock"):  # apt refuses whoever comes second
        return shutil.which(program) or _install(program, package)


def _install(program: str, package: str) -> str:
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


@functools.cache
def find_program(path: str, package: str, *libraries: str) -> tuple[Path, Mapping[str, str]]:
    """Where a program is, and what it needs in its environment; of Debian's packages, unpacked, if it is not installed.

    Args:
        path: below `/`, as its package places it.
        package: what holds it.
        libraries: packages that it needs beside those that every Debian has.

    Raises:
        MissingPart: it can't be had.
    """
    found = shutil.which(Path(path).name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found:
        return Path(found), {}
    root = _fetch_kept(package, *libraries)
    folder = root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    return root / path, {"LD_LIBRARY_PATH": str(folder)} if libraries else {}


def _fetch_kept(*packages: str) -> Path:
    """Unpack Debian packages together, kept in the cache by the first one's version; returns what stands for `/`.

    Raises:
        MissingPart: they can't be had.
    """

    def unpack(work: Path) -> Path:
        root = work / "root"
        for package in packages:
            shutil.copytree(fetch_package(package, work / "packages"), root, symlinks=True, dirs_exist_ok=True)
        return root

    with_libraries = "+".join(("", *packages[1:]))
    return keep_peer(f"{packages[0]}-{_find_version(packages[0])}{with_libraries}", unpack)


def _find_version(package: str) -> str:
    if shutil.which("apt-cache") is None:
        raise MissingPart(f"Debian's package {package} can't be fetched without apt")
    version = _ask_version(package)
    if not version and os.geteuid() == 0:
        # A machine that is new has no lists yet.
        subprocess.run(["apt-get", "-qq", "update"], capture_output=True, timeout=INSTALL_LIMIT_S, check=False)
        version = _ask_version(package)
    if not version:
        raise MissingPart(f"apt knows no package {package}")
    return version


def _ask_version(package: str) -> str:
    command = ["apt-cache", "show", "--no-all-versions", package]
    said = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_LIMIT_S, check=False).stdout
    lines = (line.partition(": ") for line in said.splitlines())
    return next((value for name, _, value in lines if name == "Version"), "")
