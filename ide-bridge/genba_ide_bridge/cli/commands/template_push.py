"""`genba templates push`."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.archive import pack_template
from genba_ide_bridge.cli.command import LISTED_TEXT, GenbaCommand
from genba_ide_bridge.cli.organizations import find_organization
from genba_ide_bridge.cli.output import note, organization_option, yes_option
from genba_ide_bridge.cli.parameters import parse_pairs
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.cli.values_file import read_values_file
from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.templates import TemplateVersion, TemplateVersionVariable

REQUIRED_VARIABLES: Final = "REQUIRED_TEMPLATE_VARIABLES"
"""The job's error code when Terraform variables without a default got no value (contract 2.2)."""


@dataclass(frozen=True, slots=True)
class PushRequest:
    """What to push: a tar, as which version of which template."""

    tar: bytes
    template_name: str
    version_name: str
    message: str
    activate: bool
    variables: Mapping[str, str]
    tags: Mapping[str, str]


@click.command("push", cls=GenbaCommand)
@click.argument("template", required=False)
@click.option("-d", "--directory", default=".", help="The template's folder; `-` reads a tar from stdin.")
@click.option("-m", "--message", default="", help="What changed.")
@click.option("--name", default="", help="A name for the version; one is made up otherwise.")
@click.option("--activate/--no-activate", default=True, help="Make it the version that workspaces start with.")
@click.option("--var", "--variable", "variables", multiple=True, type=LISTED_TEXT, metavar="NAME=VALUE",
              help="The value of a Terraform variable, repeatable.")  # fmt: skip
@click.option("--variables-file", type=click.Path(dir_okay=False, path_type=Path),
              help="A file of values: a JSON object, or YAML of `name: value`.")  # fmt: skip
@click.option("--provisioner-tag", "tags", multiple=True, metavar="NAME=VALUE", help="Which provisioners may take it.")
# Providers are the gateway's own or pinned by the template: an absent lock file is no reason for a warning to ignore.
@click.option("--ignore-lockfile", is_flag=True, hidden=True)
@click.option("--always-prompt", is_flag=True, help="Ask for all variables that are not given.")
@organization_option
@yes_option
def push(
    template: str | None,
    directory: str,
    message: str,
    name: str,
    activate: bool,
    variables: tuple[str, ...],
    variables_file: Path | None,
    tags: tuple[str, ...],
    ignore_lockfile: bool,
    always_prompt: bool,
    organization: str | None,
    yes: bool,
) -> None:
    """Upload a folder of Terraform files as a new version of TEMPLATE (by default the folder's name)."""
    del ignore_lockfile, yes
    request = PushRequest(
        tar=_read_tar(directory),
        template_name=template or _name_of(directory),
        version_name=name,
        message=message,
        activate=activate,
        variables={
            **(read_values_file(variables_file) if variables_file else {}),
            **parse_pairs("--variable", variables),
        },
        tags=parse_pairs("--provisioner-tag", tags),
    )

    async def push_template(client: GatewayClient) -> None:
        await _push(client, request, organization, asks_all=always_prompt)

    run_with_gateway(push_template)


def _read_tar(directory: str) -> bytes:
    if directory == "-":
        return sys.stdin.buffer.read()
    archive = pack_template(Path(directory))
    if archive.left_out:
        note(f"note: not uploaded: {', '.join(archive.left_out)}. Values go with --variable or --variables-file.")
    return archive.tar


def _name_of(directory: str) -> str:
    if directory == "-":
        raise click.UsageError("A tar from stdin needs a name: genba templates push NAME -d -")
    # A folder may be called what a template may not (contract 0.2, names).
    name = re.sub(r"[^a-zA-Z0-9]+", "-", Path(directory).resolve().name).strip("-")[:32].strip("-")
    if not name:
        raise click.UsageError("Name the template: genba templates push NAME.")
    return name


async def _push(client: GatewayClient, request: PushRequest, organization_name: str | None, *, asks_all: bool) -> None:
    from genba_wire.api.templates import CreateTemplateRequest

    organization = await find_organization(client, organization_name)
    template = await client.templates.find_template(organization.name, request.template_name)
    if asks_all and template is not None:
        # A new template's variables are not known before they are missing: then they are asked for anyway.
        request = await _with_answers(client, template.active_version_id, request)
    file_id = await client.templates.upload_tar(request.tar)
    version = await _import(client, request, organization.name, file_id, template.id if template else "")
    if template is None:
        await client.templates.create_template(
            organization.name, CreateTemplateRequest(name=request.template_name, template_version_id=version.id)
        )
    elif request.activate:
        await client.templates.activate_version(template.id, version.id)
    is_active = template is None or request.activate
    click.echo(f"Pushed version {version.name} of {request.template_name}{' (active)' if is_active else ''}.")
    if is_active:
        click.echo(f"Next: `genba create NAME --template {request.template_name}`.")
    else:
        promote = f"genba templates versions promote -t {request.template_name} --template-version {version.name}"
        click.echo(f"Next: `{promote}` makes it active.")


async def _import(
    client: GatewayClient, request: PushRequest, organization: str, file_id: str, template_id: str
) -> TemplateVersion:
    """Import a file, asking for values of variables as long as some are missing."""
    from genba_ide_bridge.cli.following import follow_import
    from genba_wire.api.templates import CreateTemplateVersionRequest, VariableValue

    while True:
        body = CreateTemplateVersionRequest(
            storage_method="file",
            provisioner="terraform",
            name=request.version_name,
            message=request.message,
            template_id=template_id,
            file_id=file_id,
            tags=dict(request.tags),
            user_variable_values=[VariableValue(name=name, value=value) for name, value in request.variables.items()],
        )
        version = await client.templates.create_version(organization, body)
        version = await follow_import(client, version, title=f"Importing {request.template_name}")
        if version.job.status == "succeeded":
            return version
        if version.job.error_code != REQUIRED_VARIABLES:
            raise BridgeError(
                f"The import failed: {version.job.error or version.job.status}",
                "Nothing changed for workspaces. Correct the template and push again.",
            )
        answers = await _ask_variables(client, version, request.variables)
        # The failed version may keep the name that was asked for.
        request = replace(request, variables={**request.variables, **answers})


async def _with_answers(client: GatewayClient, version_id: str, request: PushRequest) -> PushRequest:
    prompts.require_terminal("The values of all variables", "--variable NAME=VALUE instead of --always-prompt")
    variables = await client.templates.list_variables(version_id)
    answers = {one.name: _ask_variable(one) for one in variables if one.name not in request.variables}
    return replace(request, variables={**request.variables, **answers})


async def _ask_variables(client: GatewayClient, version: TemplateVersion, given: Mapping[str, str]) -> dict[str, str]:
    variables = await client.templates.list_variables(version.id)
    missing = [one for one in variables if one.required and one.name not in given]
    if not missing:
        raise BridgeError(f"The import failed: {version.job.error or 'values of variables are missing'}")
    if not prompts.can_ask():
        flags = " ".join(f"--variable {one.name}=VALUE" for one in missing)
        raise BridgeError(f"The template needs values for {', '.join(one.name for one in missing)}.", f"Pass {flags}.")
    return {one.name: _ask_variable(one) for one in missing}


def _ask_variable(variable: TemplateVersionVariable) -> str:
    question = f"{variable.name} ({variable.description})" if variable.description else variable.name
    flag = f"--variable {variable.name}=VALUE"
    if variable.sensitive:
        return prompts.ask_secret(question, flag)
    known = variable.value or variable.default_value
    return prompts.ask(question, flag, default=None if variable.required and not known else known)
