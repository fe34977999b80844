"""A template's folder as a tar (contract 2.2, `templates push`)."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genba_ide_bridge.errors import BridgeError

MAX_TAR_BYTES: Final = 100 * 1024 * 1024
"""What a gateway takes (contract 4.1)."""

LOCK_FILE: Final = ".terraform.lock.hcl"

_VALUE_FILES: Final = ("terraform.tfvars", "terraform.tfvars.json")
_VALUE_SUFFIXES: Final = (".auto.tfvars", ".auto.tfvars.json")


@dataclass(frozen=True, slots=True)
class TemplateArchive:
    """A tar, and what was left out of it and deserves a word: files of values, links to folders."""

    tar: bytes
    left_out: tuple[str, ...]


def pack_template(folder: Path) -> TemplateArchive:
    """Pack a folder of Terraform files; the same files give the same bytes, so that they are stored once.

    Raises:
        BridgeError: no such folder, no Terraform in it, a link that leads out of it, or too much in it.
    """
    if not folder.is_dir():
        raise BridgeError(f"There is no folder {folder}.", "Name the template's folder with -d DIR.")
    files = sorted(_list_files(folder.resolve()), key=lambda pair: pair[0])
    kept = [(name, path) for name, path in files if not _is_values_file(Path(name).name)]
    if not any("/" not in name and name.endswith((".tf", ".tf.json")) for name, _ in kept):
        raise BridgeError(
            f"{folder} holds no Terraform: a template has at least one .tf file.",
            "Name the template's folder with -d DIR, or begin with `genba templates init`.",
        )
    _check_size(folder, kept)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in kept:
            entry = tarfile.TarInfo(name)
            content = path.read_bytes()
            entry.size = len(content)
            entry.mode = 0o755 if os.access(path, os.X_OK) else 0o644
            tar.addfile(entry, io.BytesIO(content))
    left_out = tuple(name for name, path in files if (name, path) not in kept)
    return TemplateArchive(buffer.getvalue(), left_out)


def _list_files(root: Path) -> Iterator[tuple[str, Path]]:
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and not _is_state(name)]
        for name in folders:
            if Path(parent, name).is_symlink():
                raise BridgeError(
                    f"{Path(parent, name)} is a link to a folder, which can't be uploaded.", "Copy the folder there."
                )
        for name in names:
            path = Path(parent, name)
            if (name.startswith(".") and name != LOCK_FILE) or _is_state(name):
                continue
            if not path.resolve().is_relative_to(root):
                raise BridgeError(f"{path} is a link that leads out of the folder.", "Copy the file there.")
            if path.is_file():
                yield path.relative_to(root).as_posix(), path


def _is_state(name: str) -> bool:
    return ".tfstate" in name


def _is_values_file(name: str) -> bool:
    return name in _VALUE_FILES or name.endswith(_VALUE_SUFFIXES)


def _check_size(folder: Path, files: list[tuple[str, Path]]) -> None:
    sizes = sorted(((path.stat().st_size, name) for name, path in files), reverse=True)
    # A tar pads every file to 512 bytes behind a header of as much, and ends with up to 10 KiB.
    total = sum((size + 511) // 512 * 512 + 512 for size, _ in sizes) + tarfile.RECORDSIZE
    if total > MAX_TAR_BYTES:
        largest = ", ".join(f"{name} ({size / 1e6:.1f} MB)" for size, name in sizes[:3])
        raise BridgeError(
            f"{folder} holds {total / 1e6:.0f} MB; a template may have {MAX_TAR_BYTES / 1e6:.0f} MB.",
            f"The largest files: {largest}.",
        )


def unpack_template(tar: bytes, folder: Path) -> int:
    """Unpack a template into a folder; returns how many files it has.

    Only plain files within the folder are written. (tarfile's own filter for this came with Python 3.11.4.)

    Raises:
        BridgeError: the tar can't be read, or holds what has no place in a template; names it.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            files = [member for member in archive if not member.isdir()]
            targets = [_safe_target(folder.resolve(), member) for member in files]
            for member, target in zip(files, targets, strict=True):
                content = archive.extractfile(member)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read() if content else b"")
                target.chmod(0o755 if member.mode & 0o100 else 0o644)
    except tarfile.TarError as error:
        raise BridgeError(f"Can't unpack the template: {error}.") from error
    return len(files)


def _safe_target(folder: Path, member: tarfile.TarInfo) -> Path:
    target = (folder / member.name).resolve()
    if not member.isreg() or not target.is_relative_to(folder):
        raise BridgeError(f'The template holds "{member.name}", which is no plain file within it: nothing was written.')
    return target
