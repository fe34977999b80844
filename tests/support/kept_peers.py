"""What tests make once and keep in the cache: other people's programs, by name and version."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.environment import cache_folder


def keep_peer(name: str, make: Callable[[Path], Path]) -> Path:
    """Return the file or folder of that name.

    Where it is not there yet `make` makes it, in the folder that it is given, and returns where; tests that ask at the
    same time wait for it.
    """
    kept = cache_folder() / "test-peers" / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_name(f"{kept.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            with tempfile.TemporaryDirectory(dir=kept.parent) as work:
                make(Path(work)).rename(kept)
    return kept
