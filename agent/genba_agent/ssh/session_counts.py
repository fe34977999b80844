"""How many SSH sessions there are, by the kind of their client (contract 1.4)."""

from __future__ import annotations

from collections import Counter
from typing import Final

SSH: Final = "ssh"
KINDS: Final = frozenset({"vscode", "jetbrains"})
"""Clients that name themselves; all others are just SSH."""


class SessionCounts:
    """Counts sessions, and connections, which may have none (`ssh -N`) or several (ControlMaster)."""

    def __init__(self) -> None:
        self._sessions: Counter[str] = Counter()
        self.connections = 0

    def begin(self, session_type: str) -> str:
        """Count a session; returns what `end` is to be told."""
        kind = session_type.lower() if session_type.lower() in KINDS else SSH
        self._sessions[kind] += 1
        return kind

    def end(self, kind: str) -> None:
        """A session that `begin` counted is over."""
        self._sessions[kind] -= 1

    def __getitem__(self, kind: str) -> int:
        return self._sessions[kind]
