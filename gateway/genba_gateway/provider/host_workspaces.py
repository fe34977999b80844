"""Where workspaces on the gateway's own machine live, and what starts their agents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class HostWorkspaces:
    """The operator allows workspaces on this machine (`--allow-host-workspaces`).

    `root` has a folder per workspace. `agent_command` starts an agent, e.g. `(executable, "agent")`;
    `cache` is where an executable unpacks itself, once for all workspaces.
    """

    root: Path
    agent_command: tuple[str, ...]
    cache: Path | None = None
