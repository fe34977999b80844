"""The program for macOS, which is a script: it needs nothing of macOS, so it is started here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from genba_wire.version import VERSION_LINE
from scripts.executable.portable import build_portable

TOOLS = ("cat", "gzip", "head", "id", "mkdir", "mktemp", "mv", "rm", "sh", "sleep", "tail", "tar", "uname", "grep")
LIMIT_S = 300
STRANGER = 4242

pytestmark = pytest.mark.timeout(2 * LIMIT_S)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pip = [str(Path(sys.prefix) / "tools" / "python"), "-m", "pip", "download", "-q", "--no-deps", "certifi"]
    if subprocess.run(pip, cwd=tmp_path_factory.mktemp("probe"), capture_output=True, check=False).returncode != 0:
        pytest.skip("PyPI can't be reached from here")
    return build_portable(tmp_path_factory.mktemp("bin"))[0]


def make_path(folder: Path, *, python: bool) -> Path:
    """A PATH with the tools that the script needs, and with a Python or without any."""
    folder.mkdir(parents=True)
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    if python:
        (folder / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH without any Python."""
    return make_path(tmp_path / "path", python=False)


def start(
    program: Path, *arguments: str, path: Path, user: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "HTTPS_"))}
    return subprocess.run(
        [program, *arguments],
        env={**kept, "PATH": str(path), **environment},
        user=user,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@dataclass(frozen=True)
class SetUp:
    """A home in which the program has set itself up, which takes longer than any test."""

    home: Path
    path: Path
    said: Sequence[subprocess.CompletedProcess[str]]
    """What each of those said that started at once in the home when it was new."""

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "genba"

    @property
    def folder(self) -> Path:
        """The only one that is there."""
        (folder,) = self.cache.iterdir()
        return folder


@pytest.fixture(scope="module")
def set_up(program: Path, tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    """Ten started at once; tests leave it set up."""
    home = tmp_path_factory.mktemp("home")
    path = make_path(tmp_path_factory.mktemp("tools") / "path", python=True)
    with ThreadPoolExecutor(10) as pool:
        starts = [pool.submit(start, program, "version", path=path, HOME=str(home)) for _ in range(10)]
    return SetUp(home, path, [each.result() for each in starts])


def test_ten_that_start_at_once_set_up_once(set_up: SetUp) -> None:
    for each in set_up.said:
        assert (each.returncode, each.stdout) == (0, VERSION_LINE + "\n"), each.stderr
    assert sum("setting up" in each.stderr for each in set_up.said) == 1
    assert set_up.folder.name.startswith("genba-python-"), "nothing half done"


def test_once_set_up_it_is_the_same_command(program: Path, set_up: SetUp) -> None:
    again = start(program, "version", path=set_up.path, HOME=str(set_up.home))
    assert (again.returncode, again.stdout, again.stderr) == (0, VERSION_LINE + "\n", "")
    # Its packages are all there: a command that calls a gateway, and the bridge.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    told = start(program, "list", "--url", url, "--token", "x", path=set_up.path, HOME=str(set_up.home))
    assert f"Can't reach the gateway at {url}" in told.stderr
    modules = (
        "import sys; sys.path.append(sys.argv[1]); import importlib, pkgutil, genba_wire, genba_ide_bridge\n"
        "for package in (genba_wire, genba_ide_bridge):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        module.name.endswith('__main__') or importlib.import_module(module.name)\n"
    )
    folder = set_up.folder
    subprocess.run([folder / "venv" / "bin" / "python", "-I", "-c", modules, folder / "site"], check=True, timeout=60)


def test_a_python_that_was_removed_since_is_replaced(program: Path, set_up: SetUp) -> None:
    folder = set_up.folder
    (folder / "venv" / "bin" / "python").unlink()
    (folder / "venv" / "bin" / "python").symlink_to("/absent/python3")
    done = start(program, "version", path=set_up.path, HOME=str(set_up.home))
    assert (done.returncode, done.stdout) == (0, VERSION_LINE + "\n"), done.stderr
    assert set_up.folder == folder


def test_without_a_python_it_says_in_one_line_what_to_install(program: Path, path: Path, tmp_path: Path) -> None:
    done = start(program, "version", path=path, HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (69, "")
    *_, line = done.stderr.splitlines()
    assert line.startswith("genba: neither Python 3.11 or later nor uv is here: install one of them")
    assert list((tmp_path / ".cache" / "genba").iterdir()) == []


def test_an_old_python_is_as_good_as_none(program: Path, path: Path, tmp_path: Path) -> None:
    (path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (path / "python3").chmod(0o755)
    assert "neither Python" in start(program, "version", path=path, HOME=str(tmp_path)).stderr


def test_uv_does_where_no_python_is_on_the_path(program: Path, path: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    venv.create(tools, with_pip=True)
    installed = subprocess.run(
        [tools / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "uv"], check=False
    )
    if installed.returncode != 0:
        pytest.skip("uv can't be had from PyPI")
    (path / "uv").symlink_to(tools / "bin" / "uv")
    # As it would use one that it downloaded by itself.
    python = str(Path(sys.base_prefix) / "bin" / "python3")
    done = start(program, "version", path=path, HOME=str(tmp_path), UV_PYTHON=python)
    assert (done.returncode, done.stdout) == (0, VERSION_LINE + "\n"), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_home_that_cannot_be_written_is_passed_over(program: Path, short_dir: Path) -> None:
    code = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    if subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True, check=False).returncode != 0:
        pytest.skip("there is no Python with its venv module that another user can start")
    short_dir.chmod(0o755)
    shutil.copy(program, short_dir / "genba")
    home = short_dir / "home"
    home.mkdir(mode=0o555)
    made = Path(f"/var/tmp/genba-{STRANGER}")
    shutil.rmtree(made, ignore_errors=True)
    try:
        done = start(short_dir / "genba", "version", path=Path("/usr/bin:/bin"), user=STRANGER, HOME=str(home))
        assert (done.returncode, done.stdout) == (0, VERSION_LINE + "\n"), done.stderr
        assert made.is_dir()
    finally:
        shutil.rmtree(made, ignore_errors=True)
