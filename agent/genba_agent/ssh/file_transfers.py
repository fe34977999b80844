"""What `--block-file-transfer` refuses (contract 1.15)."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import Final

EXIT_BLOCKED: Final = 65

BLOCKED_PROGRAMS: Final = frozenset({"nc", "rsync", "scp", "sftp", "sftp-server"})

MESSAGE: Final = b"File transfers are switched off in this workspace (CODER_AGENT_BLOCK_FILE_TRANSFER).\n"


def is_file_transfer(command: str) -> bool:
    """Say whether a command begins with a program that moves files.

    This keeps nobody from copying who wants to: whoever has a shell has other ways.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return bool(words) and PurePath(words[0]).name in BLOCKED_PROGRAMS
