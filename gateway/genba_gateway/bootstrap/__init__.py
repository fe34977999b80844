"""What runs first in a workspace (contract 1.12): a script by system, which downloads the agent and starts it.

linux.sh is a template: `${ARCH}` is filled in here, `${ACCESS_URL}` and `${AUTH_TYPE}` by the Terraform provider.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

ARCHITECTURES: Final = ("amd64", "arm64")
"""Those that an executable is made for."""

_FOLDER: Final = Path(__file__).resolve().parent


def read_init_scripts() -> dict[str, str]:
    """The scripts by `<os>_<arch>`."""
    script = (_FOLDER / "linux.sh").read_text(encoding="utf-8")
    return {f"linux_{arch}": script.replace("${ARCH}", arch) for arch in ARCHITECTURES}
