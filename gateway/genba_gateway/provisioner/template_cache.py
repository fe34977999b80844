"""Templates ready to run, one directory per template version, from which jobs get their private copies.

    <work_dir>/versions/<template version id>/
        template.json      what it was made of and for, what its files say, its dependency graph
        source/            the files, with `.terraform` when `init` was needed

Saves extraction, parsing, `init` and `graph` on every build but a version's first. Nothing but speed depends on
it: an entry that doesn't fit is made anew. Blocking: call it in a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from pathlib import Path

import msgspec

from genba_gateway.provisioner.job_directory import check_id
from genba_gateway.provisioner.template_source import TemplateSource

FORMAT = 1
MAX_VERSIONS = 64
# An entry that some job used this recently is not removed: it may be being copied.
KEEP_S = 24 * 3600
_STAGING = ".staging-"


class Fingerprint(msgspec.Struct, frozen=True):
    """What an entry was made of and for; another program or set of hosted providers needs another `init`."""

    archive_sha256: str
    program: str
    hosted: tuple[str, ...]
    format: int = FORMAT


class CachedTemplate(msgspec.Struct, frozen=True):
    """An entry's description; `graph` is the text of `terraform graph -type=plan`."""

    fingerprint: Fingerprint
    source: TemplateSource
    graph: str


def fingerprint_of(archive: bytes, program: str, hosted: tuple[str, ...]) -> Fingerprint:
    """Describe a template for one program and set of hosted providers."""
    return Fingerprint(hashlib.sha256(archive).hexdigest(), program, tuple(sorted(hosted)))


class TemplateCache:
    """Entries below one directory. Safe for several processes: entries appear by a rename."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def checkout(self, version_id: str, fingerprint: Fingerprint, target: Path) -> CachedTemplate | None:
        """Copy an entry's files into the empty `target`; None when there is no entry that fits."""
        entry = self._root / check_id(version_id)
        try:
            cached = msgspec.json.decode((entry / "template.json").read_bytes(), type=CachedTemplate)
            if cached.fingerprint != fingerprint:
                return None
            os.utime(entry)
            copy_template(entry / "source", target)
        except (OSError, msgspec.MsgspecError):
            # Absent, damaged, or replaced by another job while it was copied (`shutil.Error`).
            _empty(target)
            return None
        return cached

    def stage(self, job_id: str, source: Path) -> Path:
        """Copy initialised files aside, before a plan can write among them; returns what `publish` takes."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        staging = self._root / f"{_STAGING}{check_id(job_id)}"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        copy_template(source, staging / "source")
        return staging

    def publish(self, version_id: str, staging: Path, cached: CachedTemplate) -> None:
        """Make a staged copy the version's entry, in place of one that doesn't fit."""
        (staging / "template.json").write_bytes(msgspec.json.encode(cached))
        entry = self._root / check_id(version_id)
        outdated = self._root / f"{staging.name}-outdated"
        with contextlib.suppress(FileNotFoundError):
            entry.rename(outdated)
        try:
            staging.rename(entry)
        except OSError:
            # Another job of the same version was quicker; its entry is as good.
            shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(outdated, ignore_errors=True)
        self._prune()

    def discard(self, staging: Path) -> None:
        """Remove a staged copy that is not wanted."""
        shutil.rmtree(staging, ignore_errors=True)

    def _prune(self) -> None:
        """Remove the entries beyond `MAX_VERSIONS` that were used longest ago, and what crashes left."""
        oldest_kept = time.time() - KEEP_S
        ages = sorted(((_used_at(path), path) for path in self._root.iterdir()), reverse=True)
        staged = [(used, path) for used, path in ages if path.name.startswith(_STAGING)]
        entries = [(used, path) for used, path in ages if not path.name.startswith(_STAGING)]
        for used, path in (*entries[MAX_VERSIONS:], *staged):
            if used < oldest_kept:
                shutil.rmtree(path, ignore_errors=True)


def copy_template(source: Path, target: Path) -> None:
    """Copy a template's files. Installed providers are linked: they are large, and nothing writes to them."""

    def copy(origin: str, destination: str) -> str:
        if f"{os.sep}.terraform{os.sep}providers{os.sep}" in origin:
            os.link(origin, destination, follow_symlinks=False)
        else:
            shutil.copy(origin, destination, follow_symlinks=False)
        return destination

    shutil.copytree(source, target, symlinks=True, copy_function=copy, dirs_exist_ok=True)


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()  # another job renames its staged copy at this moment


def _empty(target: Path) -> None:
    for path in target.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
