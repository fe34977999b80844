"""The program for macOS: a script that sets itself up with the Python, or the uv, of the machine it starts on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from genba_wire.version import VERSION
from scripts.clone import ROOT
from scripts.executable import recipe
from scripts.executable.archive import digest_of, fill_head, list_packages, pack, write_program
from scripts.executable.base import pick_pins

PARTS: Final = ROOT / "scripts" / "executable"
LOCK: Final = ROOT / "requirements-run.lock"


def build_portable(output: Path) -> list[Path]:
    """Make `genba-darwin-<arch>` in a folder; one file, whatever the machine, unless nothing changed.

    Raises:
        ScriptFailure: the lock lacks a package.
    """
    files = [output / f"genba-darwin-{arch}" for arch in recipe.PLATFORMS]
    content = make_portable()
    output.mkdir(parents=True, exist_ok=True)
    for file in files:
        if not file.exists() or file.read_bytes() != content:
            write_program(file, content)
    return files


def make_portable() -> bytes:
    """Return the script with its tar: the list of packages with their hashes, and our own."""
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "requirements.txt"
        pins.write_text(pick_pins(LOCK.read_text(encoding="utf-8"), recipe.PORTABLE_WHEELS), encoding="utf-8")
        # main.py comes last: where it is, all is.
        files = {
            "requirements.txt": pins,
            **list_packages(recipe.PORTABLE_PACKAGES),
            "main.py": PARTS / "main.py",
        }
        head = PARTS / "portable.sh"
        digest = digest_of({**files, "head": head, "archive": PARTS / "archive.py"}, "portable")
        return fill_head(head.read_text(encoding="utf-8"), {"VERSION": VERSION, "HASH": digest}) + pack(files)
