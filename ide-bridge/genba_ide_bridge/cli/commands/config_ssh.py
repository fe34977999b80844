"""`genba config-ssh`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import LISTED_TEXT, GenbaCommand, environment_of
from genba_ide_bridge.cli.options import Settings
from genba_ide_bridge.cli.output import note, yes_option
from genba_ide_bridge.cli.own_command import own_command
from genba_ide_bridge.cli.running import current_settings, run_with_gateway
from genba_ide_bridge.cli.session_options import CONFIG, disable_autostart_option, host_name_options, wait_option
from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.host_blocks import (
    DEFAULT_PREFIX,
    DEFAULT_SUFFIX,
    HostBlocks,
    HostSettings,
    own_file,
    read_remembered,
)
from genba_ide_bridge.ssh_config.installation import Change, Installation
from genba_ide_bridge.ssh_config.known_hosts import FILE_NAME, write_known_hosts
from genba_ide_bridge.ssh_config.ssh_options import SshOption, accept_from_gateway, parse_option
from genba_ide_bridge.ssh_config.user_file import read_user_file
from genba_wire.errors import GatewayRefused
from genba_wire.visible_text import visible_text

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.deployment import SSHConfigResponse

_CERTIFIED_PREFIXES: Final = (DEFAULT_PREFIX, "coder.")
_CERTIFIED_SUFFIXES: Final = (DEFAULT_SUFFIX, "coder")
"""The host certificates of workspaces cover these everywhere, and those that the gateway itself names."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How to go about it."""

    is_dry_run: bool
    yes: bool


@click.command("config-ssh", cls=GenbaCommand)
@click.option(
    "--ssh-config-file",
    envvar=environment_of("SSH_CONFIG_FILE"),
    default=None,
    metavar="FILE",
    help="Your configuration of ssh.  [default: ~/.ssh/config]",
)
@click.option(
    "-o",
    "--ssh-option",
    "ssh_options",
    multiple=True,
    type=LISTED_TEXT,
    envvar=environment_of("SSH_CONFIG_OPTS"),
    metavar="KEYWORD=VALUE",
    help="A further option of ssh for workspaces, repeatable.",
)
@click.option(
    "--use-previous-options", is_flag=True, envvar=environment_of("SSH_USE_PREVIOUS_OPTIONS"), help="As the last time."
)
@host_name_options(CONFIG)
@wait_option(CONFIG)
@disable_autostart_option(CONFIG)
@click.option(
    "--coder-binary-path",
    "--binary-path",
    "binary_path",
    envvar=environment_of("SSH_CONFIG_BINARY_PATH"),
    metavar="FILE",
    help="The genba that ssh calls.",
)
@click.option(
    "--force-unix-filepaths",
    is_flag=True,
    envvar=environment_of("CONFIGSSH_UNIX_FILEPATHS"),
    help="Forward slashes on Windows, for an ssh of Git or Cygwin.",
)
@click.option("--skip-proxy-command", is_flag=True, hidden=True)
@click.option("-n", "--dry-run", is_flag=True, envvar=environment_of("SSH_DRY_RUN"), help="Show the changes only.")
@click.option("--remove", is_flag=True, help="Take away what this command wrote.")
@yes_option
def config_ssh(
    ssh_config_file: str | None,
    ssh_options: tuple[str, ...],
    use_previous_options: bool,
    ssh_host_prefix: str | None,
    hostname_suffix: str | None,
    wait: str | None,
    disable_autostart: bool,
    binary_path: str | None,
    force_unix_filepaths: bool,
    skip_proxy_command: bool,
    dry_run: bool,
    remove: bool,
    yes: bool,
) -> None:
    """Make `ssh genba.WORKSPACE` work, and scp, rsync, git and editors that use ssh.

    Names of hosts are genba.[OWNER--]WORKSPACE[.AGENT], [AGENT.]WORKSPACE.genba and AGENT.WORKSPACE.OWNER.genba.
    Without an owner they are yours.

    The blocks of these hosts are written to a file of their own; your configuration gets one Include line.
    """
    settings = current_settings()
    folder = settings.folder.path.absolute()
    previous, traces = read_remembered(read_user_file(own_file(folder)))
    named = ssh_config_file or (traces.config if remove else "") or "~/.ssh/config"
    installation = Installation(Path(named).expanduser().absolute(), folder)
    manner = Manner(dry_run, yes)
    if remove:
        _remove(installation, manner)
        return
    base = previous if use_previous_options else HostSettings()
    chosen = HostSettings(
        prefix=base.prefix if ssh_host_prefix is None else ssh_host_prefix,
        suffix=(base.suffix if hostname_suffix is None else hostname_suffix).removeprefix("."),
        wait=wait or base.wait,
        disables_autostart=disable_autostart or base.disables_autostart,
        options=ssh_options or base.options,
    )
    chosen.check()
    for text in chosen.options:
        parse_option(text)
    facts, owner = run_with_gateway(_ask)
    program = [] if skip_proxy_command else _program(settings, binary_path, force_unix_filepaths)
    known_hosts = folder / FILE_NAME
    blocks = HostBlocks(chosen, owner, program, known_hosts, _options_of(facts))
    _warn_of_names(chosen, facts)
    if not dry_run:
        write_known_hosts(folder, chosen.certified_patterns, facts.host_certificate_authority)
    _install(installation, blocks, manner)


async def _ask(client: GatewayClient) -> tuple[SSHConfigResponse, str]:
    return await _get_ssh_config(client), (await client.users.get_user()).username


async def _get_ssh_config(client: GatewayClient) -> SSHConfigResponse:
    try:
        found = await client.deployment.get_ssh_config()
    except GatewayRefused as refusal:
        if refusal.status != 404:
            raise
        found = None
    if found is None or not found.host_certificate_authority:
        raise BridgeError(
            f"The gateway at {client.base_url} has no authority for the host keys of workspaces.",
            "It is older than this program, or another server: ssh could not tell whom it talks to.",
        )
    return found


def _options_of(facts: SSHConfigResponse) -> list[SshOption]:
    taken, refused = accept_from_gateway(facts.ssh_config_options)
    if refused:
        note(f"warning: options of the gateway that are not taken: {', '.join(refused)}. See --ssh-option.")
    return taken


def _warn_of_names(chosen: HostSettings, facts: SSHConfigResponse) -> None:
    forms = (
        ("prefix", chosen.prefix, (*_CERTIFIED_PREFIXES, facts.hostname_prefix.lower())),
        ("suffix", chosen.suffix, (*_CERTIFIED_SUFFIXES, facts.hostname_suffix.lower())),
    )
    for form, name, certified in forms:
        if name and name.lower() not in certified:
            note(
                f'warning: host keys are not certified for names with "{name}": ssh will refuse them, until the gateway'
                f" is started with --ssh-hostname-{form} {name}. Ask who runs it."
            )


def _program(settings: Settings, binary_path: str | None, is_unix: bool) -> list[str]:
    """The words that start `genba` for ssh, with what it needs to reach the gateway as this call does."""
    words = [str(Path(binary_path).expanduser().absolute())] if binary_path else own_command(os.environ, sys.argv[0])
    folder = str(settings.folder.path.absolute())
    if is_unix:
        words[0], folder = words[0].replace("\\", "/"), folder.replace("\\", "/")
    words += ["--global-config", folder]
    if settings.ca_file:
        words += ["--ca-file", str(Path(settings.ca_file).absolute())]
    if settings.flags.header_command:
        words += ["--header-command", settings.flags.header_command]
    if settings.flags.header:
        note("warning: --header is not written for ssh, where others could read it: use --header-command.")
    return words


def _install(installation: Installation, blocks: HostBlocks, manner: Manner) -> None:
    changes = installation.plan_install(blocks)
    example = f"`ssh {blocks.settings.patterns[0].replace('*', 'WORKSPACE')}`"
    if _is_nothing(changes):
        click.echo(f"All is as it should be: {example} opens a shell in a workspace.")
        return
    _show(changes)
    if manner.is_dry_run:
        return
    if not manner.yes:
        prompts.confirm("Write this?", default=True)
    if not installation.install(changes, blocks):
        note("warning: there is no `ssh` here, so nobody could check whether it takes this.")
    click.echo(f"{example} opens a shell in a workspace; `genba list` shows yours.")


def _remove(installation: Installation, manner: Manner) -> None:
    changes = installation.plan_removal()
    if _is_nothing(changes):
        click.echo("There is nothing of ours to remove.")
        return
    _show(changes)
    if manner.is_dry_run:
        return
    if not manner.yes:
        prompts.confirm("Remove this?", default=True)
    installation.remove(changes)
    click.echo(f"{installation.config} is as it was without Genba.")


def _is_nothing(changes: list[Change]) -> bool:
    return all(change.before == change.after for change in changes)


def _show(changes: list[Change]) -> None:
    for change in changes:
        for line in change.diff():
            click.echo(visible_text(line))
