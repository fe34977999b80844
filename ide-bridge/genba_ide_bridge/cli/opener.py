"""Opens links in the program that the user's desktop has for them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Final

from genba_ide_bridge.cli.session import has_browser

TIMEOUT_S: Final = 30.0


def open_link(link: str) -> bool:
    """Whether a program of the desktop took the link; there may be no desktop, or no program for such links."""
    if sys.platform == "win32":
        try:
            os.startfile(link)  # noqa: S606  Windows has no other way to open a link
        except OSError:
            return False
        return True
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None or not has_browser():
        return False
    try:
        done = subprocess.run(
            [program, link],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
