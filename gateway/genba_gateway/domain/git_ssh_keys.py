"""The key pair that a user's workspaces use for git: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GitSSHKey:
    """A key pair; the private half only as its envelope."""

    user_id: str
    public_key: str
    private_key_sealed: bytes = field(repr=False)
    created_at: datetime
    updated_at: datetime
