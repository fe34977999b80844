"""`genba support`."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaCommand, GenbaGroup, environment_of
from genba_ide_bridge.cli.options import Settings
from genba_ide_bridge.cli.output import note, yes_option
from genba_ide_bridge.cli.running import current_settings, run_with_gateway
from genba_ide_bridge.cli.targets import WorkspaceName, WorkspaceTarget, get_workspace
from genba_ide_bridge.support.redaction import Redactor, secrets_of_environment

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient


@click.group("support", cls=GenbaGroup)
def support() -> None:
    """Gather what others need to help."""


@support.command("bundle", cls=GenbaCommand)
@click.argument("target", metavar="[OWNER/]WORKSPACE[.AGENT]", type=WorkspaceName())
@click.argument("agent", required=False, default="", metavar="[AGENT]")
@click.option(
    "-O",
    "--output-file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar=environment_of("SUPPORT_BUNDLE_OUTPUT_FILE"),
    help="The zip to write.  [default: genba-support-<time>.zip]",
)
@click.option(
    "--url-override",
    envvar=environment_of("SUPPORT_BUNDLE_URL_OVERRIDE"),
    metavar="URL",
    help="Ask the gateway at another address.",
)
@yes_option
def bundle(target: WorkspaceTarget, agent: str, output_file: Path | None, url_override: str | None, yes: bool) -> None:
    """Gather what is known of a workspace in a zip, for those who help: versions, states, logs.

    Tokens, passwords, keys and the values of parameters and variables are taken out. What a program printed into a log
    without a mark can't be recognised: look before you give it away.
    """
    settings = current_settings()
    if url_override:
        # The session stays that of the gateway that was signed in to.
        settings.flags.token = settings.token()
        settings.flags.url = url_override
    target = replace(target, agent=agent or target.agent)
    path = output_file or Path(f"genba-support-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
    redactor = Redactor(_secrets_of(settings), os.path.expanduser("~"))

    async def gather(client: GatewayClient) -> None:
        from genba_ide_bridge.support.bundle import Bundle, add_client, add_gateway, add_workspace

        workspace = await get_workspace(client, target)
        if target.agent:
            from genba_ide_bridge.cli.agent_readiness import choose_agent

            choose_agent(workspace.latest_build, target)
        if not yes:
            prompts.confirm(f"Gather versions, states and logs of {target.name} in {path}?", default=True)
        found = Bundle(redactor)
        add_client(found, os.environ, client.base_url)
        await add_gateway(found, client)
        await add_workspace(found, client, workspace, target.agent)
        found.write(path)
        for error in found.errors:
            note(f"warning: not in the bundle: {redactor.text(error)}")

    run_with_gateway(gather)
    click.echo(f"Wrote {path}. Look through its logs before you give it away.")


def _secrets_of(settings: Settings) -> list[str]:
    headers = settings.headers().values()
    words = [word for value in headers for word in (value, *value.split())]
    stored = settings.folder.read_token()
    return [settings.token(), stored, *words, *secrets_of_environment(settings.environment)]
