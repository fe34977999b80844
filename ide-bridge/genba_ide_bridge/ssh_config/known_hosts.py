"""Our own file of known hosts, with the authority that certifies the host keys of a gateway's workspaces."""

from __future__ import annotations

import base64
import binascii
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from genba_ide_bridge.errors import BridgeError

FILE_NAME: Final = "known_hosts"

_MARK: Final = "@cert-authority"

_KEY_TYPE: Final = re.compile(r"[a-z0-9@.-]+")

_PATTERN: Final = re.compile(r"[A-Za-z0-9.*?_-]+")
"""What a pattern may hold: anything else would be another pattern, another field, or a negation."""


def write_known_hosts(folder: Path, patterns: Sequence[str], authority: str) -> Path:
    """Write the file of known hosts, unless it says all that already.

    Patterns that were written for the same authority before stay: the commands that call this know some each.

    Args:
        folder: where the session is kept; made when it is not there.
        patterns: names of hosts, with `*` and `?`.
        authority: the public key of the gateway's authority, "ssh-ed25519 AAAA…", maybe with a comment.

    Returns:
        The file, for ssh's `UserKnownHostsFile`.

    Raises:
        BridgeError: the gateway's key is not one, or the file can't be written.
    """
    key = _parse_key(authority)
    refused = [one for one in patterns if not _PATTERN.fullmatch(one)]
    if refused or not patterns:
        raise BridgeError(f"{refused!r} can't be names of hosts for ssh." if refused else "There is no name of a host.")
    path = folder / FILE_NAME
    try:
        before = _read(path)
        line = f"{_MARK} {','.join(_merge(before, patterns, key))} {key}\n"
        if line != before:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(path, line)
    except OSError as error:
        raise BridgeError(
            f"Can't keep the authority for host keys in {path}: {error.strerror or error}.",
            "--global-config names another folder.",
        ) from error
    return path


def _parse_key(authority: str) -> str:
    words = authority.split()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError, binascii.Error):
        blob = b""
    # The blob begins with the key's type as a string (RFC 4253, section 6.6).
    name = words[0].encode() if words else b""
    is_key = len(blob) > len(name) + 4 and blob.startswith(len(name).to_bytes(4, "big") + name)
    if not is_key or not _KEY_TYPE.fullmatch(words[0]) or "-cert-" in words[0]:
        raise BridgeError(
            "The gateway names no authority for the host keys of workspaces that ssh could believe.",
            "Is the gateway older than this program, or another server?",
        )
    return f"{words[0]} {words[1]}"


def _merge(before: str, patterns: Sequence[str], key: str) -> list[str]:
    words = before.split()
    is_same = len(words) == 4 and words[0] == _MARK and f"{words[2]} {words[3]}" == key
    kept = words[1].split(",") if is_same else []
    return list(dict.fromkeys([*kept, *patterns]))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _replace(path: Path, text: str) -> None:
    # ssh may read it at any time, and several calls may write it at once.
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise
