"""What a provisioner is asked for and what it answers: values between services, provisioner and provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from genba_gateway.domain.timings import ProvisionerTiming


class Transition(StrEnum):
    """What a build does to a workspace (contract appendix C, WorkspaceTransition)."""

    START = "start"
    STOP = "stop"
    DELETE = "delete"


class LogSource(StrEnum):
    """Who wrote a line of a job's log (contract appendix C)."""

    DAEMON = "provisioner_daemon"
    PROVISIONER = "provisioner"


class LogLevel(StrEnum):
    """Level of a line (contract appendix C)."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class JobLogLine:
    """One line of a job's log; an empty output marks the beginning of its stage (contract 4.3)."""

    created_at: datetime
    source: LogSource
    level: LogLevel
    stage: str
    output: str


OnLog = Callable[[JobLogLine], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ParameterOption:
    """One choice of a template parameter."""

    name: str
    value: str
    description: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class TemplateParameter:
    """One `data.coder_parameter` of a template version (contract 4.2, rich-parameters)."""

    name: str
    type: str = "string"
    display_name: str = ""
    description: str = ""
    mutable: bool = False
    default_value: str = ""
    icon: str = ""
    options: tuple[ParameterOption, ...] = ()
    validation_error: str = ""
    validation_regex: str = ""
    validation_min: int | None = None
    validation_max: int | None = None
    validation_monotonic: str = ""
    required: bool = False
    ephemeral: bool = False
    order: int = 0
    form_type: str = ""
    styling: str = "{}"


@dataclass(frozen=True, slots=True)
class TemplatePreset:
    """One `data.coder_workspace_preset`: values of parameters by their names (contract 4.2, presets)."""

    name: str
    parameters: Mapping[str, str]
    description: str = ""
    icon: str = ""
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    """One Terraform `variable` of a template version (contract 4.2, variables)."""

    name: str
    description: str = ""
    type: str = "string"
    value: str = ""
    default_value: str = ""
    required: bool = False
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class AppHealthcheck:
    """How an agent finds out that an app is well."""

    url: str
    interval_s: int
    threshold: int


@dataclass(frozen=True, slots=True)
class AppSpec:
    """One `coder_app` (contract 4.7)."""

    slug: str
    display_name: str
    url: str = ""
    command: str = ""
    icon: str = ""
    external: bool = False
    subdomain: bool = False
    sharing_level: str = "owner"
    healthcheck: AppHealthcheck | None = None
    hidden: bool = False
    open_in: str = "slim-window"
    order: int = 0


@dataclass(frozen=True, slots=True)
class ScriptSpec:
    """One script of an agent; timeout 0 means none, an empty log path the agent's default."""

    display_name: str
    script: str
    icon: str = ""
    log_path: str = ""
    cron: str = ""
    run_on_start: bool = False
    run_on_stop: bool = False
    start_blocks_login: bool = False
    timeout_s: int = 0


@dataclass(frozen=True, slots=True)
class AgentMetadataSpec:
    """One `metadata` block of an agent; interval 0 means once, timeout 0 the interval."""

    key: str
    display_name: str
    script: str
    interval_s: int
    timeout_s: int
    order: int = 0


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One `coder_agent` with everything that belongs to it (contract 4.7).

    `host_boot_id` is the boot id of the machine when the agent's resource is a `genba_host`, else empty.
    """

    name: str
    operating_system: str
    architecture: str
    token: str = field(default="", repr=False)
    instance_id: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: dict[str, str](), repr=False)
    directory: str = ""
    connection_timeout_s: int = 120
    troubleshooting_url: str = ""
    motd_file: str = ""
    startup_script_behavior: str = "non-blocking"
    display_apps: tuple[str, ...] = ("vscode", "web_terminal", "port_forwarding_helper", "ssh_helper")
    order: int = 0
    metadata: tuple[AgentMetadataSpec, ...] = ()
    scripts: tuple[ScriptSpec, ...] = ()
    apps: tuple[AppSpec, ...] = ()
    host_boot_id: str = ""


@dataclass(frozen=True, slots=True)
class ResourceMetadataItem:
    """One item of a `coder_metadata`."""

    key: str
    value: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """One resource as users see it: label `type.name`, its agents and metadata."""

    type: str
    name: str
    hide: bool = False
    icon: str = ""
    daily_cost: int = 0
    metadata: tuple[ResourceMetadataItem, ...] = ()
    agents: tuple[AgentSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """A template version to be read: plan for start and, unless `is_dry_run`, for stop; nothing applied.

    `environment` holds the values for data sources under their names of contract 4.5; they go to the
    hosted provider, never into Terraform's own environment. `variables` are the user's values.
    """

    job_id: str
    template_version_id: str
    archive: bytes = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=lambda: dict[str, str](), repr=False)
    variables: Mapping[str, str] = field(default_factory=lambda: dict[str, str](), repr=False)
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What a template version contains."""

    parameters: tuple[TemplateParameter, ...]
    variables: tuple[TemplateVariable, ...]
    start_resources: tuple[ResourceSpec, ...]
    stop_resources: tuple[ResourceSpec, ...]
    readme: str = ""
    presets: tuple[TemplatePreset, ...] = ()


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build of a workspace. `state` is the state of the previous build, None for the first.

    `environment` and `variables` as in `ImportRequest`; `debug` asks for provider debug logs.
    """

    job_id: str
    template_version_id: str
    archive: bytes = field(repr=False)
    transition: Transition
    state: bytes | None = field(default=None, repr=False)
    environment: Mapping[str, str] = field(default_factory=lambda: dict[str, str](), repr=False)
    variables: Mapping[str, str] = field(default_factory=lambda: dict[str, str](), repr=False)
    debug: bool = False


@dataclass(frozen=True, slots=True)
class BuildResult:
    """How a build ended. `state` is what Terraform left, also after a failed or killed apply.

    `error` is empty after success; `canceled` says that a cancel ended it.
    """

    state: bytes | None = field(repr=False)
    resources: tuple[ResourceSpec, ...] = ()
    error: str = ""
    canceled: bool = False
    timings: tuple[ProvisionerTiming, ...] = ()


OnResources = Callable[[Sequence[ResourceSpec]], Awaitable[None]]
"""Told of a build's resources while it still runs, once its agents have their tokens."""
