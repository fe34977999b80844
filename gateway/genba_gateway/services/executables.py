"""The executables that workspaces and editors download (contract 2.5)."""

from __future__ import annotations

import asyncio
import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genba_gateway.errors import NotFound

_NAME: Final = re.compile(r"(?:genba|coder)-(?P<platform>[a-z]+-[a-z0-9]+?)(?:\.exe)?")
_UNSERVED: Final = {
    "windows": "Genba has no program for Windows to download: uv tool install genba",
    "darwin": "No program for macOS is here: its operator makes it with `make agent`, or: uv tool install genba",
}


@dataclass(frozen=True, slots=True)
class Executable:
    """A file to serve; `sha1` in hex is what clients compare theirs with."""

    path: Path
    sha1: str
    size: int


class Executables:
    """What lies in one folder: `genba-<os>-<arch>`, made by `make agent`; for macOS that is a script.

    Args:
        folder: may be absent; then nothing is served.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hashes: dict[tuple[str, int, int, int], str] = {}

    async def find(self, name: str) -> Executable:
        """The file that a client asks for as `genba-<os>-<arch>` or `coder-<os>-<arch>`.

        Raises:
            NotFound: there is none; says where to get the program instead.
        """
        match = _NAME.fullmatch(name.replace("_", "-"))
        if match is None:
            raise NotFound(f"There is no program named {name!r} here.")
        wanted = match["platform"]
        path = self._folder / f"genba-{wanted}"
        found = await asyncio.to_thread(self._look, path)
        if found is None:
            raise NotFound(
                _UNSERVED.get(wanted.partition("-")[0])
                or f"This gateway has no program for {wanted}: its operator makes it with `make agent`."
            )
        return found

    async def list_names(self) -> list[str]:
        """The names under which something is served, sorted."""
        files = await asyncio.to_thread(
            lambda: [path.name for path in self._folder.glob("genba-*-*") if path.is_file()]
        )
        return sorted([*files, *(name.replace("genba-", "coder-", 1) for name in files)])

    def _look(self, path: Path) -> Executable | None:
        try:
            status = path.stat()
        except OSError:
            return None
        known = (path.name, status.st_ino, status.st_size, status.st_mtime_ns)
        if known not in self._hashes:
            with path.open("rb") as file:
                self._hashes[known] = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
        return Executable(path, self._hashes[known], status.st_size)


def find_native_executable(folder: Path) -> Path | None:
    """The program for this machine, to be started here; None where there is none."""
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "")
    path = folder / f"genba-linux-{arch}"
    return path if path.is_file() else None
