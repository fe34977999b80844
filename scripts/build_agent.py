"""`make agent`: assemble the executable that workspaces download, genba-linux-<arch>, and the script for macOS.

It is a script with a gzipped tar behind it (docs/decisions/0007-the-executable.md). What comes from others is fetched
once for each lock and kept in the cache; our own packages are laid over it each time they change.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform as this_machine
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from genba_wire.version import VERSION
from scripts.clone import ROOT
from scripts.environment import cache_folder, locked
from scripts.executable import recipe
from scripts.executable.archive import digest_of, fill_head, list_packages, pack, write_program
from scripts.executable.base import make_base
from scripts.executable.portable import build_portable
from scripts.executable.recipe import PLATFORMS, Platform
from scripts.failures import ScriptFailure
from scripts.progress import say, ticking

PARTS: Final = ROOT / "scripts" / "executable"
LOCK: Final = ROOT / "requirements-run.lock"
OUTPUT: Final = ROOT / ".genba" / "executables"


def main(argv: Sequence[str]) -> int:
    """Build for the architectures named, or this machine's."""
    parser = argparse.ArgumentParser(prog="make agent")
    parser.add_argument("arch", nargs="*", choices=[*PLATFORMS, []], help="(this machine's)")
    chosen = parser.parse_args(argv).arch or [machine_arch()]
    try:
        for file in [*build_portable(OUTPUT), *(build_executable(PLATFORMS[arch], OUTPUT) for arch in chosen)]:
            say(f"{file.relative_to(ROOT)}: {file.stat().st_size / 2**20:.1f} MiB")
    except ScriptFailure as failure:
        say(str(failure))
        return 1
    return 0


def prepare_executable() -> Path | None:
    """Make this machine's executable for a gateway of this clone; the folder for its `--bin-dir`.

    None where it can't be made, which is said: the gateway then starts agents of host workspaces from its own
    environment.
    """
    try:
        with ticking("the executable is made"):
            executable = build_executable(PLATFORMS[machine_arch()], OUTPUT)
            build_portable(OUTPUT)
        return executable.parent
    except ScriptFailure as failure:
        say(f"agents run from this clone's environment. {failure}")
        return None


def machine_arch() -> str:
    """Return this machine's name among `PLATFORMS`.

    Raises:
        ScriptFailure: it is none of them.
    """
    for arch, platform in PLATFORMS.items():
        if platform.machine == this_machine.machine():
            return arch
    raise ScriptFailure(f"No executable is made for {this_machine.machine()}: only for {', '.join(PLATFORMS)}.")


def build_executable(platform: Platform, output: Path) -> Path:
    """Make `genba-linux-<arch>` in a folder, unless it is there and nothing changed.

    Raises:
        ScriptFailure: something that is needed can't be had, or a folder can't be written.
    """
    try:
        return _build(platform, output)
    except OSError as error:
        where = error.filename or cache_folder()
        raise ScriptFailure(
            f"The executable can't be made: {where}: {error.strerror or error}. It needs 200 MB in "
            f"{cache_folder() / 'executables'}; GENBA_CACHE names another folder."
        ) from error
    except subprocess.CalledProcessError as error:
        raise ScriptFailure(f"The executable can't be made: `{error.cmd[0]}` failed ({error.returncode}).") from error


def _build(platform: Platform, output: Path) -> Path:
    base = find_base(platform)
    own = _own_files()
    digest = _digest_of(own, base.name)
    cached = cache_folder() / "executables" / f"genba-linux-{platform.arch}-{digest}"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        with locked(cached.parent / "build.lock"):
            if not cached.exists():
                say(f"assembling the executable for {platform.arch}")
                write_program(cached, _assemble(platform, base, own, digest))
    output.mkdir(parents=True, exist_ok=True)
    file = output / f"genba-linux-{platform.arch}"
    if not file.exists() or not file.samefile(cached):
        _write_link(cached, file)
    return file


def find_base(platform: Platform) -> Path:
    """Return the folder with what comes from others; it is made when the recipe or the lock changed."""
    made_of = [LOCK, PARTS / "recipe.py", PARTS / "base.py"]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in made_of)).hexdigest()[:16]
    base = cache_folder() / "executables" / f"base-{platform.arch}-{digest}"
    if not base.exists():
        base.parent.mkdir(parents=True, exist_ok=True)
        with locked(base.parent / "build.lock"):
            if not base.exists():
                with tempfile.TemporaryDirectory(dir=base.parent) as work:
                    tree = Path(work) / "tree"
                    make_base(platform, LOCK, Path(work), tree)
                    tree.rename(base)
    return base


def _own_files() -> dict[str, Path]:
    """Our files by their places in the tar; main.py comes last, which the head relies on."""
    return {**list_packages(recipe.PACKAGES), "main.py": PARTS / "main.py"}


def _digest_of(own: dict[str, Path], base: str) -> str:
    made_by = {"head": PARTS / "head.sh", "build": Path(__file__), "archive": PARTS / "archive.py"}
    return digest_of({**own, **made_by}, base)


def _assemble(platform: Platform, base: Path, own: dict[str, Path], digest: str) -> bytes:
    top = f"genba-{digest}"
    others = {f"{top}/{file.relative_to(base)}": file for file in sorted(base.rglob("*")) if file.is_file()}
    values = {"VERSION": VERSION, "ARCH": platform.arch, "HASH": digest, "LOADER": platform.loader}
    values["KEEP_DAYS"] = str(recipe.KEEP_DAYS)
    head = fill_head((PARTS / "head.sh").read_text(encoding="utf-8"), values)
    return head + pack({**others, **{f"{top}/{place}": file for place, file in own.items()}})


def _write_link(source: Path, file: Path) -> None:
    """Put a hard link in place of what is there, or a copy where the cache is on another file system."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        os.link(source, new)
    except OSError:
        shutil.copy(source, new)
    new.rename(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
