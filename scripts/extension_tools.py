"""Node and the packages of vscode-extension/, for what builds and checks the extension."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.clone import ROOT
from scripts.failures import ScriptFailure

EXTENSION: Final = ROOT / "vscode-extension"

MINIMUM_NODE: Final = 20
"""The oldest major version that vsce, eslint and vitest run on."""

INSTALL_NODE: Final = "install Node.js 20 or later (https://nodejs.org, or your distribution's nodejs and npm)"


class NodeMissing(ScriptFailure):
    """There is no Node that the extension's tools run on."""


def check_node() -> None:
    """Raise `NodeMissing` unless node and npm are on PATH and recent enough."""
    if shutil.which("npm") is None:
        raise NodeMissing(f"The VS Code extension needs npm, which is not on PATH: {INSTALL_NODE}")
    try:
        asked = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NodeMissing(f"`node --version` does not say a version: {INSTALL_NODE}") from error
    version = asked.stdout.strip().removeprefix("v")
    if not version.partition(".")[0].isdecimal():
        raise NodeMissing(f"`node --version` does not say a version: {INSTALL_NODE}")
    if int(version.partition(".")[0]) < MINIMUM_NODE:
        raise NodeMissing(f"The VS Code extension needs Node.js {MINIMUM_NODE} and this is {version}: {INSTALL_NODE}")


def install_packages(folder: Path = EXTENSION) -> None:
    """Install what package-lock.json pins into node_modules, unless that was done.

    Raises:
        NodeMissing: there is no Node to do it with.
        ScriptFailure: the packages can't be had.
    """
    check_node()
    stamp = folder / "node_modules" / ".genba-lock-sha256"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    with (folder / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests and checks may ask at the same time
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        run_tool(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], folder, doing="npm ci")
        stamp.write_text(wanted, encoding="utf-8")


def run_tool(command: Sequence[str], folder: Path = EXTENSION, *, doing: str) -> None:
    """Run a tool to its end; what it says is shown only when it fails.

    Raises:
        ScriptFailure: it failed.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError as error:
        raise ScriptFailure(
            f"{doing} could not be started: {error}. Remove {folder}/node_modules and try again"
        ) from error
    if done.returncode != 0:
        said = done.stdout.decode(errors="replace").strip()
        raise ScriptFailure(f"{said}\n{doing} failed in {folder} (exit code {done.returncode}): see above")


def local_tool(name: str, folder: Path = EXTENSION) -> str:
    """The path of a program that `install_packages` brought."""
    return str(folder / "node_modules" / ".bin" / name)
