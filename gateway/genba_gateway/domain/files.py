"""Uploaded archives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

MAX_FILE_BYTES: Final = 100 * 1024 * 1024
"""The largest upload (contract 4.1)."""

TAR_TYPE: Final = "application/x-tar"
ZIP_TYPES: Final = frozenset({"application/zip", "application/x-zip-compressed"})


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A tar archive; `hash` is the SHA-256 of what was uploaded."""

    id: str
    hash: str
    created_by: str
    created_at: datetime
    mimetype: str
    data: bytes = field(repr=False)
