"""The environment of the user's programs (contract 1.11).

Precedence, lowest first: defaults of the agent, the process's environment, the manifest's variables (expanded), and
what the agent forces.

The launcher of the shipped executable may have to set variables for itself (PYTHONHOME and the like). It names them,
separated by spaces, in `GENBA_LAUNCHER_VARS`, and keeps values that the user had set in `GENBA_ORIGINAL_<NAME>`: user
programs get the latter or none. `GENBA_EXECUTABLE` is the executable's own path.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from genba_agent.data_dir import DataDir
from genba_agent.user import User
from genba_wire.api.agent_protocol import Manifest

LAUNCHER_VARS: Final = "GENBA_LAUNCHER_VARS"
ORIGINAL_PREFIX: Final = "GENBA_ORIGINAL_"
EXECUTABLE: Final = "GENBA_EXECUTABLE"

_LAUNCHER_ONLY: Final = re.compile(r"LD_LIBRARY_PATH|PYTHON[A-Z0-9_]*")
"""What a launcher may take back; a name outside of this in `GENBA_LAUNCHER_VARS` is left alone."""

_VARIABLE: Final = re.compile(r"\$(?:\{(?P<braced>[^}]*)\}|(?P<bare>[A-Za-z_][A-Za-z0-9_]*))")

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """Replace `$NAME` and `${NAME}`; unknown names become empty, as in a shell."""
    return _VARIABLE.sub(lambda match: environ.get(match["braced"] or match["bare"] or "", ""), text)


def expand_path(path: str, environ: Mapping[str, str], home: str, base: str) -> str:
    """Expand a leading `~` and variables; a relative path is taken from `base`."""
    expanded = expand_variables(path, environ)
    if expanded == "~" or expanded.startswith("~/"):
        expanded = home + expanded[1:]
    return os.path.join(base, expanded)


def user_environment(process_environ: Mapping[str, str]) -> dict[str, str]:
    """Return the process's environment without what our own launcher put there."""
    launcher_vars = process_environ.get(LAUNCHER_VARS, "").split()
    taken_back = {name for name in launcher_vars if _LAUNCHER_ONLY.fullmatch(name)}
    environ: dict[str, str] = {}
    for name, value in process_environ.items():
        if name in taken_back or name in (LAUNCHER_VARS, EXECUTABLE):
            continue
        if name.startswith(ORIGINAL_PREFIX):
            environ[name.removeprefix(ORIGINAL_PREFIX)] = value
        else:
            environ[name] = value
    return environ


def own_command(process_environ: Mapping[str, str], argv0: str) -> list[str]:
    """Return how this program is started again: the words before a subcommand such as `gitssh`."""
    executable = process_environ.get(EXECUTABLE)
    if executable:
        return [executable]
    program = Path(argv0)
    if program.name != "__main__.py" and program.is_file() and os.access(program, os.X_OK):
        return [str(program.absolute())]
    # With -P: it starts in folders of others (git's SSH command, in a repository), whose modules are not ours to run.
    return [sys.executable, "-P", "-m", "genba_agent"]


def build_environment(
    process_environ: Mapping[str, str],
    manifest: Manifest,
    user: User,
    *,
    command: list[str],
    url: str,
    token: str,
    data_dir: DataDir,
) -> dict[str, str]:
    """Build the environment that all programs of the workspace share.

    Args:
        command: what `own_command` returned.
        url, token: the gateway's address and the agent's token, which `gitssh` and the like need.
    """
    environ = {
        "USER": user.name,
        "HOME": user.home,
        "SHELL": user.shell,
        "PATH": DEFAULT_PATH,
        "GIT_SSH_COMMAND": f"{shlex.join(command)} gitssh --",
        "CS_DISABLE_GETTING_STARTED_OVERRIDE": "true",
        "CODER_AGENT_URL": url,
    }
    if manifest.vscode_port_proxy_uri:
        environ["VSCODE_PROXY_URI"] = manifest.vscode_port_proxy_uri
    environ.update(user_environment(process_environ))
    # Expanded against what was there before, so that PATH="$HOME/bin:$PATH" adds a folder.
    environ |= {name: expand_variables(value, environ) for name, value in manifest.environment_variables.items()}
    environ |= {
        "CODER": "true",
        "CODER_WORKSPACE_NAME": manifest.workspace_name,
        "CODER_WORKSPACE_AGENT_NAME": manifest.agent_name,
        "CODER_AGENT_TOKEN": token,
        "CODER_SCRIPT_BIN_DIR": str(data_dir.bin_dir),
        "PATH": f"{data_dir.bin_dir}:{environ.get('PATH', DEFAULT_PATH)}",
    }
    if manifest.git_auth_configs > 0 and len(command) == 1:
        # Git starts this as one program, without words in front of its question.
        environ["GIT_ASKPASS"] = command[0]
    return environ
