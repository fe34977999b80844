"""The flags about sessions that `ssh`, `vscodessh`, `config-ssh` and `port-forward` share.

A flag has the same name, the same type and, from command to command, the same variables. Only what `config-ssh` writes
down for later calls has variables of its own (CONFIGSSH_…; contract, appendix F), and no default, so that it can tell
"as the last time" from a choice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import click

from genba_ide_bridge.cli.command import environment_of
from genba_ide_bridge.cli.durations import Duration
from genba_ide_bridge.cli.start_scripts import WAITS

FunctionT = TypeVar("FunctionT", bound=Callable[..., object])

CONFIG: Final = "CONFIGSSH"
"""The beginning of the variables of `config-ssh`."""

MIN_NETWORK_INFO_INTERVAL: Final = timedelta(milliseconds=100)
"""More often than that nobody reads the file, and writing it would keep the disk busy."""

DEFAULT_POLL_INTERVAL: Final = timedelta(minutes=1)

MIN_POLL_INTERVAL: Final = timedelta(seconds=1)
"""Each poll is a request to the gateway, of each session."""

_FOLDER: Final = click.Path(file_okay=False, path_type=Path)


def wait_option(command: str = "SSH") -> Callable[[FunctionT], FunctionT]:
    """`wait`: whether to wait for start scripts; None where `config-ssh` was not told."""
    return click.option(
        "--wait",
        type=click.Choice(WAITS),
        default=None if command == CONFIG else "auto",
        show_default=command != CONFIG,
        envvar=environment_of(f"{command}_WAIT"),
        help="Wait for start scripts; auto: for those that block logins.",
    )


def disable_autostart_option(command: str = "SSH") -> Callable[[FunctionT], FunctionT]:
    """`disable_autostart`."""
    return click.option(
        "--disable-autostart",
        is_flag=True,
        envvar=environment_of(f"{command}_DISABLE_AUTOSTART"),
        help="Don't start a stopped workspace.",
    )


def host_name_options(command: str = "SSH") -> Callable[[FunctionT], FunctionT]:
    """`ssh_host_prefix` and `hostname_suffix`; None where `config-ssh` was not told."""
    default = None if command == CONFIG else ""
    told = "of the names of hosts, as `genba.`" if command == CONFIG else "to take off HOST."

    def decorate(function: FunctionT) -> FunctionT:
        function = click.option(
            "--hostname-suffix",
            default=default,
            envvar=environment_of(f"{command}_HOSTNAME_SUFFIX"),
            help=f"End {told}",
        )(function)
        return click.option(
            "--ssh-host-prefix",
            default=default,
            envvar=environment_of(f"{command}_SSH_HOST_PREFIX"),
            help=f"Beginning {told}",
        )(function)

    return decorate


def log_dir_option(function: FunctionT) -> FunctionT:
    """`log_dir`, a Path or None."""
    return click.option(
        "-l", "--log-dir", type=_FOLDER, envvar=environment_of("SSH_LOG_DIR"), help="Keep a log of the session there."
    )(function)


def network_info_options(function: FunctionT) -> FunctionT:
    """`network_info_dir`, a Path or None, and `network_info_interval`."""
    function = click.option(
        "--network-info-interval",
        type=Duration(at_least=MIN_NETWORK_INFO_INTERVAL),
        default="5s",
        show_default=True,
        help="How often.",
    )(function)
    return click.option("--network-info-dir", type=_FOLDER, help="Say there, in PID.json, how the connection is.")(
        function
    )


def poll_interval_option(function: FunctionT) -> FunctionT:
    """`workspace_poll_interval`."""
    return click.option(
        "--workspace-poll-interval",
        type=Duration(at_least=MIN_POLL_INTERVAL),
        default=DEFAULT_POLL_INTERVAL,
        show_default="1m",
        envvar=environment_of("WORKSPACE_POLL_INTERVAL"),
        help="How often to look whether the workspace will stop by itself soon.",
    )(function)
