"""Asks the real ssh what it makes of a configuration, without connecting anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from genba_ide_bridge.errors import BridgeError

TIMEOUT_S: Final = 30.0
"""A `Match exec` of the user's may take its time."""


class NoSsh(Exception):
    """There is no ssh on this machine that could be asked."""


def ask_ssh(config: Path, host: str) -> dict[str, str]:
    """The options that ssh would use for a host, by their keywords in lower case.

    Raises:
        NoSsh: there is none.
        BridgeError: it refuses the configuration; the message has its words.
    """
    ssh = shutil.which("ssh")
    if ssh is None:
        raise NoSsh
    # ssh's own default is read with all that belongs to it: the machine's file, and the check of modes and owners.
    named = [] if _is_default(config) else ["-F", str(config)]
    try:
        done = subprocess.run(
            [ssh, *named, "-G", host], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BridgeError(
            f"`ssh -G {host}` took more than {TIMEOUT_S:.0f} s.", "Is there a slow Match exec?"
        ) from error
    except OSError as error:
        raise NoSsh from error
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).strip().splitlines()
        raise BridgeError(
            f"ssh does not take the configuration in {config}: {'; '.join(said[:3]) or 'no reason given'}"
        )
    lines = (line.partition(" ") for line in os.fsdecode(done.stdout).splitlines())
    return {keyword.lower(): value for keyword, _, value in lines}


def _is_default(config: Path) -> bool:
    if sys.platform == "win32":
        home = Path.home()
    else:
        import pwd

        # ssh asks for the user's home folder, and does not look at HOME.
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    return config == home / ".ssh" / "config"
