"""Fetch and trim what the executable needs of others: Debian's packages and wheels. Needs no root and no compiler."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scripts.executable import recipe
from scripts.executable.recipe import Platform
from scripts.failures import ScriptFailure
from scripts.progress import run_step

APT_SETTINGS: Final = """\
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "-";
APT::Architecture "{arch}";
APT::Architectures "{arch}";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::http::Timeout "20";
"""


def make_base(platform: Platform, lock: Path, work: Path, tree: Path) -> None:
    """Lay Python, its libraries and the wheels into `tree` (folders bin, lib, site).

    Args:
        lock: requirements with hashes, of which the wheels' pins are taken.
        work: an empty folder for what is needed on the way.

    Raises:
        ScriptFailure: apt, dpkg or the packages can't be had; says what to do.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise ScriptFailure(
                f"The executable is assembled from Debian's packages, and {program} is not here: run it on Debian or "
                "Ubuntu."
            )
    pins = work / "wheels.txt"
    pins.write_text(pick_pins(lock.read_text(encoding="utf-8"), recipe.WHEELS))
    fetch_wheels = _installer(platform, pins, work / "site")
    _fetch_debs(platform, work)
    root = work / "root"
    for deb in sorted((work / "debs").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(deb), str(root)], check=True, stdin=subprocess.DEVNULL)
    _copy_python(platform, root, tree)
    _copy_licences(root, tree / "licences")
    code, said = run_step("the wheels are fetched", fetch_wheels, on_line=lambda line: None)
    if code != 0:
        raise ScriptFailure(f"The wheels could not be fetched ({said[-1] if said else code}): check the way to PyPI.")
    shutil.copytree(work / "site", tree / "site", ignore=_left_out)
    shutil.rmtree(tree / "site" / "bin", ignore_errors=True)


def _fetch_debs(platform: Platform, work: Path) -> None:
    if not Path(recipe.KEYRING).exists():
        raise ScriptFailure(f"{recipe.KEYRING} is missing: sudo apt install debian-archive-keyring")
    apt = work / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    sources = [f"deb [signed-by={recipe.KEYRING}] {archive}" for archive in recipe.ARCHIVES]
    (apt / "sources.list").write_text("\n".join(sources) + "\n")
    settings = apt / "apt.conf"
    settings.write_text(APT_SETTINGS.format(folder=apt, arch=platform.arch))
    debs = work / "debs"
    debs.mkdir()
    environment = {**os.environ, "APT_CONFIG": str(settings)}
    for title, argv in (
        ("apt reads Debian's lists", ["apt-get", "-qq", "update"]),
        ("apt fetches Debian's packages", ["apt-get", "-qq", "download", *recipe.DEBS]),
    ):
        code, said = run_step(title, argv, env=environment, cwd=debs, on_line=lambda line: None)
        if code != 0:
            raise ScriptFailure(
                f"{title}: failed ({said[-1] if said else code}). Check the way to {recipe.ARCHIVES[0].split()[0]}."
            )


def _copy_python(platform: Platform, root: Path, tree: Path) -> None:
    (tree / "bin").mkdir(parents=True)
    shutil.copy(root / "usr/bin/python3.11", tree / "bin/python3.11")
    lib = tree / "lib"
    lib.mkdir()
    for folder in (root / "lib" / platform.triplet, root / "usr/lib" / platform.triplet):
        for pattern in recipe.LIBRARIES:
            for library in folder.glob(pattern):
                # The copy follows links: one file under the name that programs ask for.
                shutil.copy(library, lib / library.name)
    _drop_long_names(lib)
    shutil.copytree(root / "usr/lib/python3.11", lib / "python3.11", ignore=_left_out)
    for module in (lib / "python3.11/encodings").iterdir():
        if module.name not in recipe.ENCODINGS:
            module.unlink()


def _copy_licences(root: Path, licences: Path) -> None:
    """Keep what Debian says of each package's authors and terms; wheels carry theirs in their own folders."""
    licences.mkdir()
    for copyright_file in (root / "usr/share/doc").glob("*/copyright"):
        shutil.copy(copyright_file, licences / copyright_file.parent.name)


def _drop_long_names(lib: Path) -> None:
    """Remove `libz.so.1.2.13` where `libz.so.1` is the same file: programs ask for the short name."""
    for library in lib.glob("*.so.*"):
        short = re.sub(r"(\.so\.\d+)\..*", r"\1", library.name)
        if short != library.name and (lib / short).exists():
            library.unlink()


def _left_out(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in recipe.LEFT_OUT)}


def _installer(platform: Platform, pins: Path, target: Path) -> Sequence[str]:
    machine = platform.machine
    common = ["--target", str(target), "--python-version", "3.11", "--no-deps", "--require-hashes", "-r", str(pins)]
    common += ["--only-binary", ":all:"]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python-platform", f"{machine}-manylinux_2_28", *common]
    platforms = [f"--platform=manylinux{kind}_{machine}" for kind in ("2014", "_2_17", "_2_24", "_2_28", "_2_34")]
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode != 0:
        # The clone's own environment has no pip; the one it is linked to was made by uv or by pip itself.
        linked = Path(sys.prefix) / "tools" / "python"
        if not linked.exists():
            raise ScriptFailure("Neither uv nor pip is here: run `make agent`, which sets itself up.")
        pip = [str(linked), "-m", "pip"]
    return [*pip, "install", "-q", "--no-compile", "--disable-pip-version-check", *platforms, *common]


def pick_pins(lock: str, names: Sequence[str]) -> str:
    """Return the lines of a lock file that pin these distributions, with their hashes.

    Raises:
        ScriptFailure: one is not in the lock.
    """
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    pinned = {match[1]: block for block in blocks if (match := re.match(r"([A-Za-z0-9._-]+)==", block))}
    missing = [name for name in names if name not in pinned]
    if missing:
        raise ScriptFailure(f"The lock has no {', '.join(missing)}: run `make lock`.")
    return "".join(pinned[name] for name in names)
