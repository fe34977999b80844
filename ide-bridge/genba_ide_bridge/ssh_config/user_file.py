"""Replaces a file of the user's at once, and leaves it the mode, the owner and the links that it had."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from genba_ide_bridge.errors import BridgeError


def read_user_file(path: Path) -> bytes | None:
    """What is in a file; None when there is none.

    Raises:
        BridgeError: it can't be read, or is not a file.
    """
    try:
        if path.exists() and not path.is_file():
            raise BridgeError(f"{path} is not a file.")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BridgeError(f"Can't read {path}: {error.strerror or error}.") from error


def replace_user_file(path: Path, before: bytes | None, after: bytes | None) -> None:
    """Give a file another content.

    Where it is a symbolic link, the file that it leads to is replaced. A file that is made is 0600.

    Args:
        path: the file.
        before: what the caller has seen in it; None for no file.
        after: what shall be in it; None removes it.

    Raises:
        BridgeError: somebody else changed it meanwhile, or it can't be replaced.
    """
    real = Path(os.path.realpath(path))
    if read_user_file(real) != before:
        raise BridgeError(f"{path} was changed meanwhile.", "Run the command again.")
    try:
        if after is None:
            real.unlink(missing_ok=True)
        else:
            _replace(real, after)
    except OSError as error:
        raise BridgeError(f"Can't write {path}: {error.strerror or error}. Nothing was changed in it.") from error


def _replace(real: Path, content: bytes) -> None:
    descriptor, fresh = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileNotFoundError):
            _dress(fresh, os.stat(real))
        os.replace(fresh, real)
    except BaseException:
        os.unlink(fresh)
        raise


def _dress(fresh: str, like: os.stat_result) -> None:
    made = os.stat(fresh)
    if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        os.chown(fresh, like.st_uid, like.st_gid)
    os.chmod(fresh, stat.S_IMODE(like.st_mode))
