"""`genba ssh`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.command import LISTED_TEXT, GenbaCommand, environment_of
from genba_ide_bridge.cli.running import current_settings, run_with_gateway
from genba_ide_bridge.cli.session_options import (
    DEFAULT_POLL_INTERVAL,
    disable_autostart_option,
    host_name_options,
    log_dir_option,
    network_info_options,
    poll_interval_option,
    wait_option,
)
from genba_ide_bridge.cli.ssh_hosts import parse_ssh_host
from genba_ide_bridge.cli.targets import get_workspace

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_ide_bridge.cli.openssh import SshCall
    from genba_ide_bridge.cli.options import Settings
    from genba_ide_bridge.cli.stdio_session import StdioOptions
    from genba_ide_bridge.cli.targets import WorkspaceTarget
    from genba_wire.api.deployment import SSHConfigResponse


@dataclass(frozen=True, slots=True)
class SshFlags:
    """Flags that mean the same with and without --stdio."""

    disable_autostart: bool
    wait: str
    usage_app: str
    log_dir: Path | None
    network_info_dir: Path | None
    network_info_interval: timedelta
    workspace_poll_interval: timedelta

    def stdio_options(self, settings: Settings) -> StdioOptions:
        """For a session in this process."""
        from genba_ide_bridge.cli.stdio_session import StdioOptions

        return StdioOptions(
            network_info_dir=self.network_info_dir,
            network_info_interval_s=self.network_info_interval.total_seconds(),
            usage_app=self.usage_app,
            log_dir=self.log_dir,
            is_verbose=settings.is_verbose,
            poll_interval_s=self.workspace_poll_interval.total_seconds(),
        )

    def as_words(self, settings: Settings) -> list[str]:
        """For the session of a ProxyCommand."""
        words = [f"--wait={self.wait}"]
        if self.disable_autostart:
            words.append("--disable-autostart")
        if self.usage_app:
            words.append(f"--usage-app={self.usage_app}")
        if self.log_dir is not None:
            words.append(f"--log-dir={self.log_dir.absolute()}")
        if self.network_info_dir is not None:
            words += [
                f"--network-info-dir={self.network_info_dir.absolute()}",
                f"--network-info-interval={self.network_info_interval.total_seconds():g}s",
            ]
        if self.workspace_poll_interval != DEFAULT_POLL_INTERVAL:
            words.append(f"--workspace-poll-interval={self.workspace_poll_interval.total_seconds():g}s")
        if settings.is_verbose:
            words.append("-v")
        return words


@click.command("ssh", cls=GenbaCommand)
@click.argument("host", metavar="[OWNER/]WORKSPACE[.AGENT]")
@click.argument("command", metavar="[-- COMMAND...]", nargs=-1)
@click.option("--stdio", is_flag=True, envvar=environment_of("SSH_STDIO"), help="Be the ProxyCommand of another ssh.")
@host_name_options()
@disable_autostart_option()
@wait_option()
@click.option("--no-wait", is_flag=True, envvar=environment_of("SSH_NO_WAIT"), help="The same as --wait=no.")
@click.option("-A", "--forward-agent", is_flag=True, envvar=environment_of("SSH_FORWARD_AGENT"), help="As ssh's -A.")
@click.option(
    "-G",
    "--forward-gpg",
    is_flag=True,
    envvar=environment_of("SSH_FORWARD_GPG"),
    help="Let gpg there use your keys; public keys are copied there, secret ones stay.",
)
@click.option(
    "--identity-agent",
    default="",
    envvar=environment_of("SSH_IDENTITY_AGENT"),
    metavar="SOCKET",
    help="The agent to forward, in place of SSH_AUTH_SOCK's.",
)
@click.option(
    "-R",
    "--remote-forward",
    multiple=True,
    type=LISTED_TEXT,
    envvar=environment_of("SSH_REMOTE_FORWARD"),
    metavar="FORWARD",
    help="As ssh's -R, repeatable.",
)
@click.option(
    "-e",
    "--env",
    multiple=True,
    type=LISTED_TEXT,
    envvar=environment_of("SSH_ENV"),
    metavar="NAME=VALUE",
    help="Set a variable in the session, repeatable.",
)
@log_dir_option
@network_info_options
@click.option(
    "--usage-app",
    default="",
    envvar=environment_of("SSH_USAGE_APP"),
    metavar="APP",
    help="What the use counts as: vscode, jetbrains, ssh; disable: nothing.",
)
@poll_interval_option
def ssh(
    host: str,
    command: tuple[str, ...],
    stdio: bool,
    ssh_host_prefix: str,
    hostname_suffix: str,
    disable_autostart: bool,
    wait: str,
    no_wait: bool,
    forward_agent: bool,
    forward_gpg: bool,
    identity_agent: str,
    remote_forward: tuple[str, ...],
    env: tuple[str, ...],
    log_dir: Path | None,
    network_info_dir: Path | None,
    network_info_interval: timedelta,
    usage_app: str,
    workspace_poll_interval: timedelta,
) -> int:
    """Open a shell in a workspace with your own OpenSSH, or run a command there.

    A stopped workspace is started. With --stdio the bytes of another ssh are carried, and nothing else is written to
    stdout; ssh's own flags (-A, -G, -R, -e) then belong to that ssh.
    """
    target = parse_ssh_host(host, prefix=ssh_host_prefix, suffix=hostname_suffix)
    flags = SshFlags(
        disable_autostart=disable_autostart,
        wait="no" if no_wait else wait,
        usage_app=usage_app,
        log_dir=log_dir,
        network_info_dir=network_info_dir,
        network_info_interval=network_info_interval,
        workspace_poll_interval=workspace_poll_interval,
    )
    if stdio:
        if command:
            raise click.UsageError("--stdio runs no command: the ssh behind it does.")
        return _carry(target, flags)
    from genba_ide_bridge.cli.openssh import SshCall

    _check_environment(env)
    wish = SshCall(
        target,
        command=command,
        forwards_agent=forward_agent or bool(identity_agent),
        identity_agent=identity_agent,
        remote_forwards=remote_forward,
        environment=env,
    )
    return _run_ssh(wish, flags, forwards_gpg=forward_gpg)


def _carry(target: WorkspaceTarget, flags: SshFlags) -> int:
    from genba_ide_bridge.cli.stdio_session import begin_logging, carry, import_session, leave

    options = flags.stdio_options(current_settings())
    begin_logging(options)

    async def carry_bytes(client: GatewayClient) -> int:
        from genba_ide_bridge.cli.agent_readiness import Wish

        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.to_thread(import_session), name="imports")
            workspace = await get_workspace(client, target)
        wish = Wish(command="ssh", starts=not flags.disable_autostart, wait=flags.wait)
        return await carry(client, target, workspace, wish, options)

    leave(run_with_gateway(carry_bytes))


def _check_environment(settings: Sequence[str]) -> None:
    for number, one in enumerate(settings, start=1):
        name, separator, _ = one.partition("=")
        if not name or not separator:
            # The value may be a secret, wherever it was cut.
            raise click.UsageError(f"--env is NAME=VALUE, and number {number} of {len(settings)} is not.")


def _run_ssh(wish: SshCall, flags: SshFlags, *, forwards_gpg: bool) -> int:
    from genba_ide_bridge.cli.openssh import become, find_ssh, ssh_arguments
    from genba_ide_bridge.cli.own_command import own_command
    from genba_ide_bridge.ssh_config.host_blocks import DEFAULT_PREFIX, require_owner
    from genba_ide_bridge.ssh_config.known_hosts import write_known_hosts
    from genba_ide_bridge.ssh_config.ssh_options import accept_from_gateway

    settings = current_settings()
    program = find_ssh()

    async def ask(client: GatewayClient) -> tuple[SSHConfigResponse, str]:
        facts = await find_ssh_settings(client)
        # Asked here too, so that a workspace that isn't there is told without OpenSSH's own words about its end.
        return facts, (await get_workspace(client, wish.target)).owner_name

    facts, owner = run_with_gateway(ask)
    require_owner(owner)
    folder = settings.folder.path.absolute()
    known_hosts = write_known_hosts(folder, [f"{DEFAULT_PREFIX}*"], facts.host_certificate_authority)
    taken, _ = accept_from_gateway(facts.ssh_config_options)
    call = replace(wish, owner=owner, proxy_flags=flags.as_words(settings), gateway_options=taken)
    words = own_command(os.environ, sys.argv[0])
    environment = {**os.environ, **settings.as_environment()}

    def arguments(call: SshCall) -> list[str]:
        return ssh_arguments(call, known_hosts, words, is_windows=os.name == "nt")

    if forwards_gpg:
        from genba_ide_bridge.cli.gpg_forwarding import prepare_workspace, read_local_gpg

        # With the user's variables, which may say where gpg's folder is, and none of the forwards: they come once.
        plain = replace(call, command=(), forwards_agent=False, remote_forwards=())
        gpg = read_local_gpg()
        forward = prepare_workspace([program, *arguments(plain)], gpg, environment, call.target.name)
        call = replace(call, remote_forwards=[*call.remote_forwards, forward])
    become(program, arguments(call), environment)


async def find_ssh_settings(client: GatewayClient) -> SSHConfigResponse:
    """What the gateway says about ssh.

    Raises:
        BridgeError: it names no authority for host keys; a session that nobody can check is not begun.
    """
    from genba_ide_bridge.errors import BridgeError
    from genba_wire.errors import GatewayRefused

    remedy = "Update the gateway, or use `genba terminal`, which TLS to the gateway protects."
    problem = f"The gateway at {client.base_url} certifies no host keys, so ssh could not tell whom it talks to."
    try:
        facts = await client.deployment.get_ssh_config()
    except GatewayRefused as refusal:
        if refusal.status == 404:
            raise BridgeError(problem, remedy) from refusal
        raise
    if not facts.host_certificate_authority:
        raise BridgeError(problem, remedy)
    return facts
