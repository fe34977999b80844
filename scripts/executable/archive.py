"""The tar behind a script: the same bytes from the same files, whoever makes it and when."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from scripts.clone import ROOT


def pack(files: Mapping[str, Path]) -> bytes:
    """Return a gzipped tar of files by their places in it, in the order given.

    It lacks what differs between machines: owners, times, and modes but the executable bit.
    """
    payload = io.BytesIO()
    with tarfile.open(fileobj=payload, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for place, file in files.items():
            entry = tarfile.TarInfo(place)
            entry.size = file.stat().st_size
            entry.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
            with file.open("rb") as content:
                tar.addfile(entry, content)
    return gzip.compress(payload.getvalue(), compresslevel=9, mtime=0)


def fill_head(head: str, values: Mapping[str, str]) -> bytes:
    """Return a script with its `@NAME@`s filled in; `@FIRST_LINE@` is the line on which the tar begins."""
    for name, value in {**values, "FIRST_LINE": str(head.count("\n") + 1)}.items():
        head = head.replace(f"@{name}@", value)
    return head.encode()


def list_packages(packages: tuple[str, ...]) -> dict[str, Path]:
    """Our packages' files by their places below `site`."""
    files: dict[str, Path] = {}
    for package in packages:
        folder = ROOT / package
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                files[f"site/{folder.name}/{file.relative_to(folder)}"] = file
    return files


def digest_of(files: Mapping[str, Path], seed: str) -> str:
    """Name what an executable is made of."""
    digest = hashlib.sha256(f"{seed}\0".encode())
    for place, file in files.items():
        content = file.read_bytes()
        digest.update(f"{place}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def write_program(file: Path, content: bytes) -> None:
    """Write a program beside its place and move it there."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        new.chmod(0o755)
        new.rename(file)
    finally:
        new.unlink(missing_ok=True)
