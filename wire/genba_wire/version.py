"""The version string of every Genba program, and the level of Coder's API it stands for.

Editors compare the string of `/api/v2/buildinfo` with what the served executable prints, byte by byte, and switch
behaviour on the level (docs/decisions/0003-version-string.md).
"""

from __future__ import annotations

from typing import Final

API_LEVEL: Final = "2.20.0"
"""The level of Coder's API that clients may assume; raised only when everything of that level is served."""

GENBA_VERSION: Final = "0.1.0"
"""Our own version; a test holds it against pyproject.toml."""

VERSION: Final = f"v{API_LEVEL}+genba.{GENBA_VERSION}"
"""What `buildinfo` and `version` say."""

VERSION_LINE: Final = f"Coder {VERSION} (Genba, Coder-compatible)"
"""First line of `genba version`: init scripts and editors parse its beginning (contract 1.12)."""
