"""The environment of an agent on the gateway's machine: the gateway's own, without what is the gateway's."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

# Configuration and secrets of the gateway, of Terraform and of the service manager.
PRIVATE_PREFIXES = ("GENBA_", "CODER_", "TF_", "LISTEN_", "WATCHDOG_", "MEMORY_PRESSURE_")
PRIVATE_NAMES = frozenset({"NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID", "PWD", "OLDPWD"})
# What is said to agents where the gateway is started.
FOR_AGENTS = frozenset(
    {"GENBA_AGENT_BUSY_POLL_US", "GENBA_AGENT_KEEP", "GENBA_CA_FILE", "GENBA_CLIENT_CERT", "GENBA_CLIENT_KEY"}
)
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def make_environment(
    inherited: Mapping[str, str],
    *,
    home: Path,
    url: str,
    token_file: Path,
    logs: Path,
    data: Path,
    cache: Path | None = None,
) -> dict[str, str]:
    """Give the agent's environment; the token itself stays in its file.

    Args:
        cache: where an executable unpacks itself; in each workspace's home it would take its room and a second.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name in FOR_AGENTS or (not name.startswith(PRIVATE_PREFIXES) and name not in PRIVATE_NAMES)
    }
    return {
        "PATH": DEFAULT_PATH,
        **_describe_user(),
        **kept,
        "HOME": str(home),
        "CODER_AGENT_URL": url,
        "CODER_AGENT_TOKEN_FILE": str(token_file),
        "CODER_AGENT_LOG_DIR": str(logs),
        "CODER_AGENT_SCRIPT_DATA_DIR": str(data),
        **({"GENBA_CACHE": str(cache)} if cache is not None else {}),
    }


def _describe_user() -> dict[str, str]:
    try:
        user = pwd.getpwuid(os.geteuid())
    except KeyError:
        # A container may run under a number that /etc/passwd doesn't know.
        return {}
    return {"USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": user.pw_shell or "/bin/sh"}
