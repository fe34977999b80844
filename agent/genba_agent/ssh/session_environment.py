"""What programs of an SSH session run with: the workspace's variables, and what the client may add (contract 1.11)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from genba_agent.terminals.commands import SIZE_VARIABLES

SESSION_TYPE: Final = "CODER_SSH_SESSION_TYPE"
"""What kind of client this is; counted, then kept from programs."""

KEPT: Final = frozenset({"CODER", "HOME", "LOGNAME", "SHELL", "USER"})
"""A client does not change who the user is, nor where."""

KEPT_PREFIXES: Final = ("CODER_", "GENBA_")
"""Nor what the agent sets for its own programs; a name of these that is not set may be."""

ADDRESSES: Final[Mapping[str, str]] = {
    "SSH_CLIENT": "127.0.0.1 0 22",
    "SSH_CONNECTION": "127.0.0.1 0 127.0.0.1 22",
}
"""Programs look whether these are there. There is no address to tell: the client is at the other end of a relay."""

BIN_DIR: Final = "CODER_SCRIPT_BIN_DIR"


@dataclass(frozen=True, slots=True)
class SessionVariables:
    """What a session adds: what its client sent, its terminal's type (empty without one), and forwarded sockets."""

    sent: Mapping[str, str]
    terminal_type: str = ""
    agent_path: str = ""
    display: str = ""


def build_session_environment(workspace: Mapping[str, str], variables: SessionVariables) -> dict[str, str]:
    """Return the environment for a session's program."""
    environ = {name: value for name, value in workspace.items() if name not in SIZE_VARIABLES | {"TERM", "OLDPWD"}}
    environ.setdefault("LOGNAME", environ.get("USER", ""))
    environ |= {name: value for name, value in variables.sent.items() if _may_set(name, environ)}
    bin_dir = environ.get(BIN_DIR)
    if bin_dir and bin_dir not in environ.get("PATH", "").split(os.pathsep):
        environ["PATH"] = f"{bin_dir}{os.pathsep}{environ.get('PATH', '')}"
    environ |= ADDRESSES
    for name, value in (
        ("TERM", variables.terminal_type),
        ("SSH_AUTH_SOCK", variables.agent_path),
        ("DISPLAY", variables.display),
    ):
        if value:
            environ[name] = value
    return environ


def _may_set(name: str, environ: Mapping[str, str]) -> bool:
    if not name or "=" in name or "\0" in name or name == SESSION_TYPE or name in KEPT:
        return False
    return not (name.startswith(KEPT_PREFIXES) and name in environ)
