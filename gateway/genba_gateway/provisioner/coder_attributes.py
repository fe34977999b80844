"""Attributes of the `coder` provider's resources as plans and states hold them (contract appendix E).

Every field may be absent (not known yet) or null (not set), so all have a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from genba_gateway.errors import ProvisionError


class AgentMetadataBlock(msgspec.Struct):
    """One `metadata` block of `coder_agent`."""

    key: str | None = None
    display_name: str | None = None
    script: str | None = None
    interval: int | None = None
    timeout: int | None = None
    order: int | None = None


class DisplayAppsBlock(msgspec.Struct):
    """The `display_apps` block of `coder_agent`."""

    vscode: bool | None = True
    vscode_insiders: bool | None = False
    web_terminal: bool | None = True
    port_forwarding_helper: bool | None = True
    ssh_helper: bool | None = True


class AgentAttributes(msgspec.Struct):
    """`coder_agent`."""

    id: str | None = None
    os: str | None = None
    arch: str | None = None
    auth: str | None = None
    token: str | None = None
    dir: str | None = None
    env: dict[str, str | None] | None = None
    startup_script: str | None = None
    shutdown_script: str | None = None
    startup_script_behavior: str | None = None
    connection_timeout: int | None = None
    troubleshooting_url: str | None = None
    motd_file: str | None = None
    order: int | None = None
    metadata: list[AgentMetadataBlock] | None = None
    display_apps: list[DisplayAppsBlock] | None = None


class HealthcheckBlock(msgspec.Struct):
    """The `healthcheck` block of `coder_app`."""

    url: str | None = None
    interval: int | None = None
    threshold: int | None = None


class AppAttributes(msgspec.Struct):
    """`coder_app`."""

    agent_id: str | None = None
    slug: str | None = None
    display_name: str | None = None
    url: str | None = None
    command: str | None = None
    icon: str | None = None
    external: bool | None = None
    subdomain: bool | None = None
    share: str | None = None
    healthcheck: list[HealthcheckBlock] | None = None
    hidden: bool | None = None
    open_in: str | None = None
    order: int | None = None


class ScriptAttributes(msgspec.Struct):
    """`coder_script`."""

    agent_id: str | None = None
    display_name: str | None = None
    script: str | None = None
    icon: str | None = None
    log_path: str | None = None
    cron: str | None = None
    run_on_start: bool | None = None
    run_on_stop: bool | None = None
    start_blocks_login: bool | None = None
    timeout: int | None = None


class EnvAttributes(msgspec.Struct):
    """`coder_env`."""

    agent_id: str | None = None
    name: str | None = None
    value: str | None = None
    merge_strategy: str | None = None


class InstanceAttributes(msgspec.Struct):
    """`coder_agent_instance`."""

    agent_id: str | None = None
    instance_id: str | None = None


class MetadataItemBlock(msgspec.Struct):
    """One `item` of `coder_metadata`."""

    key: str | None = None
    value: str | None = None
    sensitive: bool | None = None
    is_null: bool | None = None


class MetadataAttributes(msgspec.Struct):
    """`coder_metadata`."""

    hide: bool | None = None
    icon: str | None = None
    daily_cost: int | None = None
    item: list[MetadataItemBlock] | None = None


class OptionBlock(msgspec.Struct):
    """One `option` of `data.coder_parameter`."""

    name: str | None = None
    value: str | None = None
    description: str | None = None
    icon: str | None = None


class ValidationBlock(msgspec.Struct):
    """The `validation` block of `data.coder_parameter`."""

    min: int | None = None
    min_disabled: bool | None = None
    max: int | None = None
    max_disabled: bool | None = None
    monotonic: str | None = None
    regex: str | None = None
    error: str | None = None


class ParameterAttributes(msgspec.Struct):
    """`data.coder_parameter`."""

    name: str | None = None
    type: str | None = None
    display_name: str | None = None
    description: str | None = None
    mutable: bool | None = None
    default: str | None = None
    icon: str | None = None
    option: list[OptionBlock] | None = None
    validation: list[ValidationBlock] | None = None
    optional: bool | None = None
    order: int | None = None
    ephemeral: bool | None = None
    form_type: str | None = None
    styling: str | None = None


class PresetAttributes(msgspec.Struct):
    """`data.coder_workspace_preset`."""

    name: str | None = None
    description: str | None = None
    icon: str | None = None
    default: bool | None = None
    parameters: dict[str, str | None] | None = None
    prebuilds: list[object] | None = None


T = TypeVar("T", bound=msgspec.Struct)


def read_attributes(attributes: Mapping[str, object], kind: type[T], address: str) -> T:
    """Return the attributes as `kind`; ones that it doesn't name are passed over.

    Raises:
        ProvisionError: a value has another type than the provider's schema says.
    """
    try:
        return msgspec.convert(attributes, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ProvisionError(f"{address} has attributes of an unknown form: {error}.") from error
