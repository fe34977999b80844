"""Globs that say which files a search looks into, as ripgrep reads those of its `--glob`.

`*` and `?` stand for characters of one name, `**` for any folders, `[ab]` and `[!ab]` for one character, `{a,b}` for
either. Without a slash a glob fits a name anywhere, with one the path from the folder on; one with a slash at its end
fits folders only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

MAX_GLOBS: Final = 64
"""Each file's path is held against all of them."""

MAX_GLOB_CHARS: Final = 256
"""Longer than any that people write; what a glob costs grows with it."""

_REFUSED: Final = re.compile("^!|^$|[\\\\\0\n]|\\*\\*[^/]|[^/]\\*\\*|{[^}]*{")
"""What other programs read differently: negations, escapes, `**` that is not a whole part, braces in braces."""


class Globs:
    """Globs of one request.

    Raises:
        ValueError: one can't be read; names it.
    """

    def __init__(self, globs: Sequence[str]) -> None:
        if len(globs) > MAX_GLOBS:
            raise ValueError(f"There are more than {MAX_GLOBS} globs.")
        self._of_files = [re.compile(_translate(glob)) for glob in globs if not glob.endswith("/")]
        self._of_folders = [re.compile(_translate(glob.rstrip("/"))) for glob in globs]

    def fits_file(self, path: str) -> bool:
        """Whether one of them fits a file, by its path below the folder."""
        return any(pattern.fullmatch(path) for pattern in self._of_files)

    def fits_folder(self, path: str) -> bool:
        """Whether one of them fits a folder."""
        return any(pattern.fullmatch(path) for pattern in self._of_folders)


def check_globs(globs: Sequence[str]) -> None:
    """Refuse globs that can't be read.

    Raises:
        ValueError: names the first.
    """
    Globs(globs)


def _translate(glob: str) -> str:
    body = glob.strip("/") if glob != "/" else glob
    if _REFUSED.search(glob) or len(glob) > MAX_GLOB_CHARS or not body:
        raise ValueError(f"{glob!r} is no glob like *.py, src/**/*.ts or node_modules/.")
    parts = body.split("/")
    pieces: list[str] = [] if "/" in glob.rstrip("/") else ["(?:.*/)?"]
    for at, part in enumerate(parts):
        is_last = at == len(parts) - 1
        if part == "**":
            # At the end it fits what is in the folder, elsewhere any folders, or none.
            pieces.append(".+" if is_last else "(?:.*/)?")
        else:
            pieces.append(_translate_part(part) + ("" if is_last else "/"))
    pattern = "(?s:" + "".join(pieces) + ")"
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{glob!r} is no glob: {error}.") from error
    return pattern


def _translate_part(part: str) -> str:
    out: list[str] = []
    at, is_in_braces = 0, False
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            end = part.find("]", at + 2 if part[at : at + 1] in ("!", "^") else at + 1)
            if end < 0:
                raise ValueError(f"A bracket is not closed in {part!r}.")
            inside = part[at:end]
            negates = inside[:1] in ("!", "^")
            members = "".join(each if each == "-" else re.escape(each) for each in inside[negates:])
            out.append(f"(?!/)[{'^' if negates else ''}{members}]")
            at = end + 1
        elif char == "{":
            is_in_braces = True
            out.append("(?:")
        elif char == "}" and is_in_braces:
            is_in_braces = False
            out.append(")")
        elif char == "," and is_in_braces:
            out.append("|")
        else:
            out.append(re.escape(char))
    if is_in_braces:
        raise ValueError(f"A brace is not closed in {part!r}.")
    return "".join(out)
