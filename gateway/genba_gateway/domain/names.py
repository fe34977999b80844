"""Rules for names (contract 0.2)."""

from __future__ import annotations

import re
import secrets
from typing import Final

MAX_NAME_CHARS: Final = 32
MAX_VERSION_NAME_CHARS: Final = 64
MAX_DISPLAY_NAME_CHARS: Final = 64

_NAME: Final = re.compile(r"[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*", re.ASCII)
_VERSION_NAME: Final = re.compile(r"[a-zA-Z0-9]+(?:[_.-][a-zA-Z0-9]+)*", re.ASCII)
_RESERVED: Final = frozenset({"new", "create"})


def explain_bad_name(name: str) -> str | None:
    """What is wrong with a template's or workspace's name, or None."""
    if not 1 <= len(name) <= MAX_NAME_CHARS:
        return f"must have 1 to {MAX_NAME_CHARS} characters"
    if name in _RESERVED:
        return f"{name!r} is reserved, choose another"
    if not _NAME.fullmatch(name):
        return "must be letters and digits, with single hyphens between them"
    return None


def explain_bad_username(name: str) -> str | None:
    """What is wrong with a user's name, or None; paths mean the caller by `me`."""
    if name.lower() == "me":
        return f"{name!r} is reserved, choose another"
    return explain_bad_name(name)


def explain_bad_version_name(name: str) -> str | None:
    """What is wrong with a template version's name, or None."""
    if not 1 <= len(name) <= MAX_VERSION_NAME_CHARS:
        return f"must have 1 to {MAX_VERSION_NAME_CHARS} characters"
    if not _VERSION_NAME.fullmatch(name):
        return "must be letters and digits, with single '_', '.' or '-' between them"
    return None


def explain_bad_display_name(name: str) -> str | None:
    """What is wrong with a display name, or None."""
    if len(name) > MAX_DISPLAY_NAME_CHARS:
        return f"must have at most {MAX_DISPLAY_NAME_CHARS} characters"
    if name != name.strip():
        return "must not begin or end with spaces"
    return None


def make_version_name() -> str:
    """A name for a version that was given none."""
    return f"v{secrets.token_hex(5)}"
