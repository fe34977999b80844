"""Where `make run` keeps things in a clone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

GENBA: Final = ROOT / ".genba" / "bin" / "genba"
"""The `genba` of this clone, made by scripts/environment.py."""

STARTER: Final = ROOT / "gateway" / "genba_gateway" / "starters" / "host"
"""The starter template whose workspaces are processes on the gateway's own machine."""


@dataclass(frozen=True, slots=True)
class RunFolders:
    """One folder with all that a gateway and its first admin need."""

    base: Path

    @property
    def data(self) -> Path:
        """The gateway's data folder."""
        return self.base / "data"

    @property
    def config(self) -> Path:
        """The admin's configuration of `genba`: address and session."""
        return self.base / "config"

    @property
    def password(self) -> Path:
        """The first admin's password, mode 0600."""
        return self.base / "admin-password"

    @property
    def log(self) -> Path:
        """What the gateway says."""
        return self.base / "gateway.log"

    @property
    def pushed(self) -> Path:
        """Hash of the starter that was pushed last."""
        return self.base / "host-template.sha256"

    @property
    def lock(self) -> Path:
        """Held by the one `make run` of a clone."""
        return self.base / "run.lock"


IN_CLONE: Final = RunFolders(ROOT / ".genba")
