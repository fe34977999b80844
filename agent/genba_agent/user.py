"""Who the workspace's user is, on machines that may not know it themselves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

FALLBACK_SHELL: Final = "/bin/sh"

NO_SHELLS: Final = frozenset({"nologin", "false", "true", "sync"})
"""What /etc/passwd names as the shell of accounts that are not meant to log in; containers run as them all the same."""


@dataclass(frozen=True, slots=True)
class User:
    """The user that programs of the workspace run as."""

    name: str
    home: str
    shell: str


def find_user(environ: Mapping[str, str]) -> User:
    """Find the process's user in /etc/passwd, else in the environment, else by fall-backs.

    A container started with a numeric user id that its image doesn't know has no entry.
    """
    uid = os.getuid()
    try:
        import pwd

        entry = pwd.getpwuid(uid)
    except KeyError:
        name, home, shell = environ.get("USER", str(uid)), environ.get("HOME", "/"), environ.get("SHELL", "")
    else:
        name, home, shell = entry.pw_name, environ.get("HOME") or entry.pw_dir, entry.pw_shell
    return User(name=name, home=home or "/", shell=_usable_shell(shell, environ))


def _usable_shell(shell: str, environ: Mapping[str, str]) -> str:
    for candidate in (shell, environ.get("SHELL", "")):
        if candidate and PurePath(candidate).name not in NO_SHELLS and shutil.which(candidate):
            return candidate
    return FALLBACK_SHELL
