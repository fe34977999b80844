"""Messages about files, templates and their versions (contract 4.1, 4.2)."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.jobs import MatchedProvisioners, ProvisionerJob
from genba_wire.api.message import Message


class UploadResponse(Message, frozen=True, kw_only=True):
    """POST /files; the key is called hash and holds the file's id."""

    hash: str


class VariableValue(Message, frozen=True, kw_only=True):
    """A value for a Terraform variable."""

    name: str
    value: str


class CreateTemplateVersionRequest(Message, frozen=True, kw_only=True):
    """POST /organizations/{organization}/templateversions."""

    storage_method: str
    provisioner: str
    name: str = ""
    message: str = ""
    template_id: str = ""
    file_id: str = ""
    example_id: str = ""
    tags: dict[str, str] = {}
    user_variable_values: list[VariableValue] = []


class PatchTemplateVersionRequest(Message, frozen=True, kw_only=True):
    """PATCH /templateversions/{version}."""

    name: str = ""
    message: str | None = None


class ArchiveVersionsRequest(Message, frozen=True, kw_only=True):
    """POST /templates/{template}/versions/archive; `all` for good versions too."""

    all: bool = False


class ArchiveVersionsResponse(Message, frozen=True, kw_only=True):
    """Its answer: a message, with what newer clients read."""

    message: str
    template_id: str
    archived_ids: list[str]


class MinimalUser(Message, frozen=True, kw_only=True):
    """A user in few words."""

    id: str
    username: str
    avatar_url: str


class TemplateVersion(Message, frozen=True, kw_only=True):
    """One version of a template."""

    id: str
    organization_id: str
    created_at: datetime
    updated_at: datetime
    name: str
    message: str
    job: ProvisionerJob
    readme: str
    created_by: MinimalUser
    archived: bool
    template_id: str = ""
    warnings: list[str] = []
    matched_provisioners: MatchedProvisioners | None = None


class ParameterOption(Message, frozen=True, kw_only=True):
    """One choice of a parameter."""

    name: str
    description: str
    value: str
    icon: str


class TemplateVersionParameter(Message, frozen=True, kw_only=True):
    """GET /templateversions/{version}/rich-parameters."""

    name: str
    description: str
    description_plaintext: str
    type: str
    mutable: bool
    default_value: str
    icon: str
    options: list[ParameterOption]
    required: bool
    ephemeral: bool
    display_name: str = ""
    validation_error: str = ""
    validation_regex: str = ""
    validation_min: int | None = None
    validation_max: int | None = None
    validation_monotonic: str = ""
    form_type: str = ""


class PresetParameter(Message, frozen=True, kw_only=True):
    """One value of a preset; upper case is the contract's."""

    Name: str
    Value: str


class Preset(Message, frozen=True, kw_only=True):
    """GET /templateversions/{version}/presets; upper case is the contract's."""

    ID: str
    Name: str
    Parameters: list[PresetParameter]
    Default: bool
    Description: str
    Icon: str


class TemplateVersionVariable(Message, frozen=True, kw_only=True):
    """GET /templateversions/{version}/variables; values of sensitive ones are blank."""

    name: str
    description: str
    type: str
    value: str
    default_value: str
    required: bool
    sensitive: bool


class Percentiles(Message, frozen=True, kw_only=True):
    """Milliseconds, or null when there is no build to measure."""

    P50: int | None
    P95: int | None


class BuildTimeStats(Message, frozen=True, kw_only=True):
    """How long builds take, by transition."""

    start: Percentiles
    stop: Percentiles
    delete: Percentiles


class AutostopRequirement(Message, frozen=True, kw_only=True):
    """Days on which workspaces must stop."""

    days_of_week: list[str] | None = None
    weeks: int = 0


class AutostartRequirement(Message, frozen=True, kw_only=True):
    """Days on which workspaces may start by themselves."""

    days_of_week: list[str] | None = None


class CreateTemplateRequest(Message, frozen=True, kw_only=True):
    """POST /organizations/{organization}/templates."""

    name: str
    template_version_id: str
    display_name: str = ""
    description: str = ""
    icon: str = ""
    default_ttl_ms: int | None = None
    activity_bump_ms: int | None = None
    autostop_requirement: AutostopRequirement | None = None
    autostart_requirement: AutostartRequirement | None = None
    allow_user_cancel_workspace_jobs: bool | None = None
    allow_user_autostart: bool | None = None
    allow_user_autostop: bool | None = None
    failure_ttl_ms: int | None = None
    dormant_ttl_ms: int | None = None
    delete_ttl_ms: int | None = None
    max_ttl_ms: int | None = None
    disable_everyone_group_access: bool = False
    require_active_version: bool = False
    max_port_share_level: str | None = None


class UpdateTemplateRequest(Message, frozen=True, kw_only=True):
    """PATCH /templates/{template}: absent and null fields keep their value."""

    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    icon: str | None = None
    default_ttl_ms: int | None = None
    activity_bump_ms: int | None = None
    autostop_requirement: AutostopRequirement | None = None
    autostart_requirement: AutostartRequirement | None = None
    allow_user_cancel_workspace_jobs: bool | None = None
    allow_user_autostart: bool | None = None
    allow_user_autostop: bool | None = None
    failure_ttl_ms: int | None = None
    time_til_dormant_ms: int | None = None
    time_til_dormant_autodelete_ms: int | None = None
    max_ttl_ms: int | None = None
    update_workspace_last_used_at: bool = False
    update_workspace_dormant_at: bool = False
    require_active_version: bool | None = None
    deprecation_message: str | None = None
    disable_everyone_group_access: bool = False
    max_port_share_level: str | None = None


class UpdateActiveVersionRequest(Message, frozen=True, kw_only=True):
    """PATCH /templates/{template}/versions."""

    id: str


class Template(Message, frozen=True, kw_only=True):
    """One template."""

    id: str
    created_at: datetime
    updated_at: datetime
    organization_id: str
    organization_name: str
    organization_display_name: str
    organization_icon: str
    name: str
    display_name: str
    provisioner: str
    active_version_id: str
    active_user_count: int
    build_time_stats: BuildTimeStats
    description: str
    deprecated: bool
    deprecation_message: str
    icon: str
    default_ttl_ms: int
    activity_bump_ms: int
    autostop_requirement: AutostopRequirement
    autostart_requirement: AutostartRequirement
    created_by_id: str
    created_by_name: str
    allow_user_autostart: bool
    allow_user_autostop: bool
    allow_user_cancel_workspace_jobs: bool
    failure_ttl_ms: int
    time_til_dormant_ms: int
    time_til_dormant_autodelete_ms: int
    require_active_version: bool
    max_port_share_level: str


class TemplateExample(Message, frozen=True, kw_only=True):
    """GET /templates/examples: a template to begin with; `id` is what `example_id` of a new version names."""

    id: str
    url: str
    name: str
    description: str
    icon: str
    tags: list[str]
    markdown: str
