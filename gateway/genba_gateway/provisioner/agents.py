"""Agents of a template with everything that belongs to them: apps, scripts, environment, metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from genba_gateway.domain.provisioning import AgentMetadataSpec, AgentSpec, AppHealthcheck, AppSpec, ScriptSpec
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.coder_attributes import (
    AgentAttributes,
    AppAttributes,
    DisplayAppsBlock,
    EnvAttributes,
    ScriptAttributes,
    read_attributes,
)
from genba_gateway.provisioner.terraform_json import TerraformResource

NAME_PATTERN = re.compile(r"[a-z0-9](-?[a-z0-9])*", re.ASCII)
DEFAULT_CONNECTION_TIMEOUT_S = 120
LIST_SEPARATOR = ":"


def check_agent_name(resource: TerraformResource, seen: set[str]) -> None:
    """Refuse a name that can't be part of a host name, or that is taken; `seen` collects them in lower case."""
    name = resource.name
    if "_" in name:
        raise ProvisionError(
            f"The agent name {name!r} ({resource.address}) contains an underscore; use {name.replace('_', '-')!r}."
        )
    if not NAME_PATTERN.fullmatch(name.lower()):
        raise ProvisionError(
            f"The agent name {name!r} ({resource.address}) is not valid; use letters, digits and single hyphens."
        )
    if name.lower() in seen:
        raise ProvisionError(f"The template has two agents named {name!r} (without regard to case); rename one.")
    seen.add(name.lower())


def check_app_slug(resource: TerraformResource, slug: str, seen: set[str]) -> None:
    """Refuse a slug that can't be part of a host name, or that another app of the template has."""
    if not NAME_PATTERN.fullmatch(slug):
        raise ProvisionError(
            f"The app slug {slug!r} ({resource.address}) is not valid; "
            "use lower-case letters, digits and single hyphens."
        )
    if slug in seen:
        raise ProvisionError(
            f"The template has two apps with the slug {slug!r}; change one (second: {resource.address})."
        )
    seen.add(slug)


def convert_agent(
    name: str,
    attributes: AgentAttributes,
    *,
    apps: Iterable[TerraformResource],
    scripts: Iterable[TerraformResource],
    environment: Iterable[TerraformResource],
    instance_id: str,
    host_boot_id: str,
) -> AgentSpec:
    """Put an agent together from its resource and the ones that belong to it."""
    behavior = attributes.startup_script_behavior or "non-blocking"
    return AgentSpec(
        name=name,
        operating_system=attributes.os or "",
        architecture=attributes.arch or "",
        token=(attributes.token or "") if (attributes.auth or "token") == "token" else "",
        instance_id=instance_id,
        environment=_merge_environment(attributes.env or {}, environment),
        directory=attributes.dir or "",
        connection_timeout_s=(
            DEFAULT_CONNECTION_TIMEOUT_S if attributes.connection_timeout is None else attributes.connection_timeout
        ),
        troubleshooting_url=attributes.troubleshooting_url or "",
        motd_file=attributes.motd_file or "",
        startup_script_behavior=behavior,
        display_apps=_display_apps(attributes.display_apps),
        order=attributes.order or 0,
        metadata=_convert_metadata(attributes),
        scripts=(*_own_scripts(attributes, behavior), *(_convert_script(script) for script in scripts)),
        apps=_convert_apps(apps),
        host_boot_id=host_boot_id,
    )


def _display_apps(blocks: Sequence[DisplayAppsBlock] | None) -> tuple[str, ...]:
    block = blocks[0] if blocks else DisplayAppsBlock()
    enabled = {
        "vscode": block.vscode,
        "vscode_insiders": block.vscode_insiders,
        "web_terminal": block.web_terminal,
        "port_forwarding_helper": block.port_forwarding_helper,
        "ssh_helper": block.ssh_helper,
    }
    return tuple(name for name, is_enabled in enabled.items() if is_enabled)


def _convert_metadata(attributes: AgentAttributes) -> tuple[AgentMetadataSpec, ...]:
    specs = [
        AgentMetadataSpec(
            key=block.key or "",
            display_name=block.display_name or "",
            script=block.script or "",
            interval_s=block.interval or 0,
            timeout_s=block.timeout or 0,
            order=block.order or 0,
        )
        for block in attributes.metadata or ()
    ]
    return tuple(sorted(specs, key=lambda spec: spec.order))


def _own_scripts(attributes: AgentAttributes, behavior: str) -> list[ScriptSpec]:
    scripts: list[ScriptSpec] = []
    if attributes.startup_script:
        scripts.append(
            ScriptSpec(
                display_name="Startup Script",
                script=attributes.startup_script,
                log_path="coder-startup-script.log",
                run_on_start=True,
                start_blocks_login=behavior == "blocking",
            )
        )
    if attributes.shutdown_script:
        scripts.append(
            ScriptSpec(
                display_name="Shutdown Script",
                script=attributes.shutdown_script,
                log_path="coder-shutdown-script.log",
                run_on_stop=True,
            )
        )
    return scripts


def _convert_script(resource: TerraformResource) -> ScriptSpec:
    attributes = read_attributes(resource.attributes, ScriptAttributes, resource.address)
    return ScriptSpec(
        display_name=attributes.display_name or "",
        script=attributes.script or "",
        icon=attributes.icon or "",
        log_path=attributes.log_path or "",
        cron=attributes.cron or "",
        run_on_start=attributes.run_on_start or False,
        run_on_stop=attributes.run_on_stop or False,
        start_blocks_login=attributes.start_blocks_login or False,
        timeout_s=attributes.timeout or 0,
    )


def _convert_apps(resources: Iterable[TerraformResource]) -> tuple[AppSpec, ...]:
    apps = [_convert_app(resource) for resource in resources]
    return tuple(sorted(apps, key=lambda app: (app.order, app.slug)))


def _convert_app(resource: TerraformResource) -> AppSpec:
    attributes = read_attributes(resource.attributes, AppAttributes, resource.address)
    slug = attributes.slug or ""
    check = attributes.healthcheck[0] if attributes.healthcheck else None
    return AppSpec(
        slug=slug,
        display_name=attributes.display_name or slug,
        url=attributes.url or "",
        command=attributes.command or "",
        icon=attributes.icon or "",
        external=attributes.external or False,
        subdomain=attributes.subdomain or False,
        sharing_level=attributes.share or "owner",
        healthcheck=(
            AppHealthcheck(url=check.url or "", interval_s=check.interval or 0, threshold=check.threshold or 0)
            if check is not None
            else None
        ),
        hidden=attributes.hidden or False,
        open_in=attributes.open_in or "slim-window",
        order=attributes.order or 0,
    )


def _merge_environment(own: Mapping[str, str | None], extra: Iterable[TerraformResource]) -> dict[str, str]:
    """Add `coder_env` resources, by address, to the agent's own `env`.

    The agent's own value wins over `replace`; `append` and `prepend` build lists with `:`, as PATH has; `error`
    refuses a second value.
    """
    merged: dict[str, str] = {name: value or "" for name, value in own.items()}
    fixed = frozenset(merged)
    for resource in sorted(extra, key=lambda resource: resource.address):
        attributes = read_attributes(resource.attributes, EnvAttributes, resource.address)
        name, value = attributes.name or "", attributes.value or ""
        present = merged.get(name)
        strategy = attributes.merge_strategy or "replace"
        if present is None:
            merged[name] = value
        elif strategy == "append":
            merged[name] = f"{present}{LIST_SEPARATOR}{value}"
        elif strategy == "prepend":
            merged[name] = f"{value}{LIST_SEPARATOR}{present}"
        elif strategy == "error":
            raise ProvisionError(
                f'{resource.address} sets {name!r}, which is set already, and its merge_strategy is "error".'
            )
        elif name not in fixed:
            merged[name] = value
    return merged
