"""How much apps are used, counted in spans of 30 s (contract 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class AppUse:
    """What one user did with one app in one span."""

    id: str
    user_id: str
    """Empty for somebody who was not signed in."""
    workspace_id: str
    agent_id: str
    access_method: str
    slug_or_port: str
    started_at: datetime
    ended_at: datetime
    requests: int = 0
    """None of them new while only something that was opened before stays open."""
