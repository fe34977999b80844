"""Unpacks a template archive into a job's private directory. Blocking: call it in a thread."""

from __future__ import annotations

import os
from pathlib import Path

from genba_gateway.errors import BadRequest, ProvisionError
from genba_gateway.provisioner.archive import ArchiveEntry, iterate_tar

CONFIGURATION_SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")
# What Terraform itself leaves in a folder where somebody ran it. A state or plan of the author's own trial
# would be taken for the workspace's, and `.terraform` holds another machine's providers.
_LEFTOVER_DIRECTORIES = (".terraform/", ".git/")
_LEFTOVER_FILES = frozenset(
    {"terraform.tfstate", "terraform.tfstate.backup", ".terraform.tfstate.lock.info", "errored.tfstate"}
)


def extract_template(archive: bytes, target: Path) -> None:
    """Write the archive's files below `target`, which exists and is empty.

    Raises:
        ProvisionError: the archive is hostile, damaged, or has no Terraform file at its top level.
    """
    has_configuration = False
    try:
        for entry in iterate_tar(archive):
            if entry.path in _LEFTOVER_FILES or f"{entry.path}/".startswith(_LEFTOVER_DIRECTORIES):
                continue
            _write_entry(entry, target)
            is_top_level = "/" not in entry.path and entry.content is not None
            has_configuration |= is_top_level and entry.path.endswith(CONFIGURATION_SUFFIXES)
    except BadRequest as error:
        raise ProvisionError(error.message) from error
    if not has_configuration:
        raise ProvisionError(
            "The template has no Terraform file at its top level; add a main.tf, "
            "and pack the folder's content rather than the folder."
        )


def _write_entry(entry: ArchiveEntry, target: Path) -> None:
    path = target / entry.path
    if entry.content is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o755 if entry.is_executable else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(entry.content)
