"""Runs the user's OpenSSH with this program as its ProxyCommand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.host_blocks import DEFAULT_PREFIX
from genba_ide_bridge.ssh_config.quoting import command_line, config_word, file_word
from genba_ide_bridge.ssh_config.ssh_options import DEFAULTS, SshOption, merge_options

if TYPE_CHECKING:
    from genba_ide_bridge.cli.targets import WorkspaceTarget


@dataclass(frozen=True, slots=True)
class SshCall:
    """What to run in which workspace, and what the flags want of OpenSSH."""

    target: WorkspaceTarget
    owner: str = ""
    """Whose workspace it is, by name; the gateway tells it where the target says "me"."""
    command: Sequence[str] = ()
    proxy_flags: Sequence[str] = ()
    """Of the ProxyCommand, besides those that every call has."""
    forwards_agent: bool = False
    identity_agent: str = ""
    remote_forwards: Sequence[str] = ()
    environment: Sequence[str] = ()
    """`NAME=VALUE`."""
    gateway_options: Sequence[SshOption] = ()


def host_of(target: WorkspaceTarget) -> str:
    """The name by which OpenSSH and its user call a workspace."""
    owner = "" if target.owner == "me" else f"{target.owner}--"
    return f"{DEFAULT_PREFIX}{owner}{_name_of(target)}"


def certified_name(call: SshCall) -> str:
    """The name that the workspace's host certificate has to have, with the owner, in lower case as certificates are."""
    return f"{DEFAULT_PREFIX}{call.owner}--{_name_of(call.target)}".lower()


def _name_of(target: WorkspaceTarget) -> str:
    return f"{target.workspace}.{target.agent}" if target.agent else target.workspace


def ssh_arguments(call: SshCall, known_hosts: Path, program: Sequence[str], *, is_windows: bool) -> list[str]:
    """OpenSSH's arguments, without its own name.

    Args:
        call: what is wanted.
        known_hosts: the file with the authority for host keys.
        program: the words that start this program.
        is_windows: how the ProxyCommand is quoted.
    """
    proxy = [*program, "ssh", "--stdio", *call.proxy_flags, "--ssh-host-prefix", DEFAULT_PREFIX]
    options = [
        SshOption("ProxyCommand", command_line(proxy, is_windows=is_windows) + " %h"),
        SshOption("UserKnownHostsFile", file_word(known_hosts)),
        SshOption("HostKeyAlias", certified_name(call)),
        SshOption("StrictHostKeyChecking", "yes"),
        SshOption("UpdateHostKeys", "no"),
    ]
    if call.identity_agent:
        options.append(SshOption("IdentityAgent", config_word(call.identity_agent)))
    if call.environment:
        # ssh takes the first SetEnv only, with all its words.
        options.append(SshOption("SetEnv", " ".join(config_word(one) for one in call.environment)))
    own = [SshOption(keyword, value) for keyword, value in DEFAULTS.items()]
    # Before --, where ssh takes the first value that it is given.
    options += merge_options(own, call.gateway_options, [])
    arguments = [word for option in options for word in ("-o", f"{option.keyword}={option.value}")]
    if call.forwards_agent:
        arguments.append("-A")
    for forward in call.remote_forwards:
        arguments += ["-R", forward]
    return [*arguments, "--", host_of(call.target), *call.command]


def find_ssh() -> str:
    """The user's OpenSSH.

    Raises:
        BridgeError: there is none; says how to get it.
    """
    found = shutil.which("ssh")
    if found is None:
        raise BridgeError(
            "OpenSSH's `ssh` is not on your PATH.",
            "Install it (Debian and Ubuntu: `apt install openssh-client`; Windows: the optional feature OpenSSH"
            " Client), or use `genba terminal`, which needs none.",
        )
    return found


def become(program: str, arguments: Sequence[str], environment: dict[str, str]) -> NoReturn:
    """Become another program: signals, terminal and exit code are its own. On Windows it runs below this one."""
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        sys.exit(subprocess.run([program, *arguments], env=environment, check=False).returncode)
    os.execve(program, [program, *arguments], environment)  # noqa: S606  the user's own ssh is the point
