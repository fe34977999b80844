"""Words as ssh's configuration and the user's shell take them apart again.

ssh splits a line into words with quotes and backslashes, takes `%` for one of its tokens, and `Include` takes words
for patterns of file names. `ProxyCommand` is the rest of its line as it is, for the user's shell; but ssh looks at its
quotes too, and refuses a line where they are not in pairs. So what is written here suits both readers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from genba_ide_bridge.errors import BridgeError

_PLAIN: Final = re.compile(r"[\w@+=:,./~*?\[\]-]+")
"""Needs no quotes in ssh's configuration."""

_PLAIN_FOR_SHELL: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")

_PLAIN_FOR_WINDOWS: Final = re.compile(r"[A-Za-z0-9_@%+=:,./\\-]+")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def config_word(text: str) -> str:
    """One word of a line."""
    _require_one_line(text)
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def file_word(path: PurePath) -> str:
    """A file for an option that takes tokens and variables."""
    text = path.as_posix()
    if "${" in text:
        raise BridgeError(f"ssh takes ${{ in {text} for a variable.", "--global-config names another folder.")
    return config_word(text.replace("%", "%%"))


def include_word(path: PurePath) -> str:
    """A file for `Include`, and none other that fits the same pattern."""
    return config_word(re.sub(r"([\\*?\[\]])", r"\\\1", path.as_posix()))


def command_line(words: Sequence[str], *, is_windows: bool) -> str:
    """A command for `ProxyCommand`, without tokens in it."""
    quote = _windows_word if is_windows else _shell_word
    return " ".join(quote(word.replace("%", "%%")) for word in words)


def _shell_word(text: str) -> str:
    _require_one_line(text)
    if _PLAIN_FOR_SHELL.fullmatch(text):
        return text
    # Not in single quotes: ssh would take a backslash before the closing one for an escape, the shell would not.
    return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'


def _windows_word(text: str) -> str:
    _require_one_line(text)
    if _PLAIN_FOR_WINDOWS.fullmatch(text):
        return text
    if '"' in text or text.endswith("\\"):
        raise BridgeError(f"{text} can't be quoted for ssh on Windows.")
    return f'"{text}"'


def _require_one_line(text: str) -> None:
    if _CONTROL.search(text):
        raise BridgeError(f"{text!r} has characters that can't be in ssh's configuration.")
