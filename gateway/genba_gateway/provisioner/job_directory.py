"""The private directory of one job: template, state, and records of running processes. Blocking: use threads.

    <work_dir>/jobs/<job id>/            0700: state and plans hold every secret in clear
        source/                          the template's files, Terraform's working directory
        source/terraform.tfstate         state before and after
        variables.tfvars.json            values of variables, 0600
        start.tfplan, stop.tfplan        plans of an import
        sessions/<n>/                    one running Terraform: its two output pipes and process.json

A directory lives until the caller has stored the state. What `sessions` holds after a crash tells recovery that
something may still run.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.terraform_json import pick_newest_state

_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
STATE_NAME = "terraform.tfstate"
_STATE_NAMES = (STATE_NAME, "errored.tfstate", "terraform.tfstate.backup")


def check_id(identifier: str) -> str:
    """Return an id that is safe as the name of a directory.

    Raises:
        ProvisionError: it is not.
    """
    if not _JOB_ID.fullmatch(identifier):
        raise ProvisionError(f"The id {identifier[:100]!r} can't be the name of a directory.")
    return identifier


@dataclass(frozen=True, slots=True)
class JobDirectory:
    """Paths of one job."""

    root: Path
    job_id: str

    @property
    def source(self) -> Path:
        """The template's files; Terraform runs here."""
        return self.root / "source"

    @property
    def state_path(self) -> Path:
        """The state before and after."""
        return self.source / STATE_NAME

    @property
    def variables_path(self) -> Path:
        """The file with the values of variables."""
        return self.root / "variables.tfvars.json"

    @property
    def sessions(self) -> Path:
        """One directory per Terraform process that runs."""
        return self.root / "sessions"

    def create(self) -> None:
        """Make the directory, empty.

        Raises:
            ProvisionError: there is one already, left by a crash.
        """
        self.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self.root.mkdir(mode=0o700)
        except FileExistsError:
            raise ProvisionError(
                f"The job {self.job_id} has a directory already; restart the gateway, which recovers its state."
            ) from None
        self.source.mkdir(mode=0o700)
        self.sessions.mkdir(mode=0o700)

    def write_private(self, path: Path, data: bytes) -> None:
        """Write a file that only we may read."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)

    def read_state(self) -> bytes | None:
        """Return the state that Terraform left, None when there is none.

        When the file is not readable as a state (a kill in the middle of writing it), the backup or the one
        that Terraform saved elsewhere is taken.
        """
        found = [data for name in _STATE_NAMES if (data := _read_if_present(self.source / name))]
        if not found:
            return None
        return pick_newest_state(found) or found[0]

    def remove(self) -> None:
        """Remove everything; no error when there is nothing."""
        shutil.rmtree(self.root, ignore_errors=True)


def _read_if_present(path: Path) -> bytes | None:
    try:
        # Templates may put anything here; only plain files are read, so that nothing waits or leads away.
        return path.read_bytes() if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None
