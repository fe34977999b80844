"""`make agent`: assemble the executable that workspaces download, genba-linux-<arch>.

It is a script with a gzipped tar behind it (docs/decisions/0007-the-executable.md). What comes from others is fetched
once for each lock and kept in the cache; our own packages are laid over it each time they change.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import platform as this_machine
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from genba_wire.version import VERSION
from scripts.clone import ROOT
from scripts.environment import cache_folder, locked
from scripts.executable import recipe
from scripts.executable.base import make_base
from scripts.executable.recipe import PLATFORMS, Platform
from scripts.failures import ScriptFailure
from scripts.progress import say

PARTS: Final = ROOT / "scripts" / "executable"
LOCK: Final = ROOT / "requirements-run.lock"
OUTPUT: Final = ROOT / ".genba" / "executables"


def main(argv: Sequence[str]) -> int:
    """Build for the architectures named, or this machine's."""
    parser = argparse.ArgumentParser(prog="make agent")
    parser.add_argument("arch", nargs="*", choices=[*PLATFORMS, []], help="(this machine's)")
    chosen = parser.parse_args(argv).arch or [machine_arch()]
    try:
        for arch in chosen:
            file = build_executable(PLATFORMS[arch], OUTPUT)
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
        return build_executable(PLATFORMS[machine_arch()], OUTPUT).parent
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
        ScriptFailure: something that is needed can't be had.
    """
    base = find_base(platform)
    own = _own_files()
    digest = _digest_of(own, base.name)
    cached = cache_folder() / "executables" / f"genba-linux-{platform.arch}-{digest}"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        with locked(cached.parent / "build.lock"):
            if not cached.exists():
                say(f"assembling the executable for {platform.arch}")
                _write(cached, _assemble(platform, base, own, digest))
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
    files: dict[str, Path] = {}
    for package in recipe.PACKAGES:
        folder = ROOT / package
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                files[f"site/{folder.name}/{file.relative_to(folder)}"] = file
    files["main.py"] = PARTS / "main.py"
    return files


def _digest_of(own: dict[str, Path], base: str) -> str:
    digest = hashlib.sha256(f"{base}\0".encode())
    for place, file in [*own.items(), ("head", PARTS / "head.sh"), ("build", Path(__file__))]:
        content = file.read_bytes()
        digest.update(f"{place}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _assemble(platform: Platform, base: Path, own: dict[str, Path], digest: str) -> bytes:
    top = f"genba-{digest}"
    payload = io.BytesIO()
    with tarfile.open(fileobj=payload, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(base.rglob("*")):
            if file.is_file():
                _add(tar, f"{top}/{file.relative_to(base)}", file)
        for place, file in own.items():
            _add(tar, f"{top}/{place}", file)
    head = (PARTS / "head.sh").read_text(encoding="utf-8")
    values = {"VERSION": VERSION, "ARCH": platform.arch, "HASH": digest, "LOADER": platform.loader}
    values["FIRST_LINE"] = str(head.count("\n") + 1)
    for name, value in values.items():
        head = head.replace(f"@{name}@", value)
    return head.encode() + gzip.compress(payload.getvalue(), compresslevel=9, mtime=0)


def _add(tar: tarfile.TarFile, place: str, file: Path) -> None:
    """Add a file without what differs between machines: owners, times, and modes but the executable bit."""
    entry = tarfile.TarInfo(place)
    entry.size = file.stat().st_size
    entry.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
    with file.open("rb") as content:
        tar.addfile(entry, content)


def _write(file: Path, content: bytes) -> None:
    new = file.with_name(f".{file.name}.{os.getpid()}")
    new.write_bytes(content)
    new.chmod(0o755)
    new.rename(file)


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
