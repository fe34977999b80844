"""Messages about workspaces, builds and resources (contract 4.3, appendix B)."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.agents import WorkspaceAgent
from genba_wire.api.jobs import MatchedProvisioners, ProvisionerJob
from genba_wire.api.message import Message


class BuildParameter(Message, frozen=True, kw_only=True):
    """The value of a parameter in a build."""

    name: str
    value: str


class ResourceMetadata(Message, frozen=True, kw_only=True):
    """One item shown on a resource; sensitive values are blank."""

    key: str
    value: str
    sensitive: bool


class WorkspaceResource(Message, frozen=True, kw_only=True):
    """One resource of a build."""

    id: str
    created_at: datetime
    job_id: str
    workspace_transition: str
    type: str
    name: str
    hide: bool
    icon: str
    agents: list[WorkspaceAgent]
    metadata: list[ResourceMetadata]
    daily_cost: int


class WorkspaceBuild(Message, frozen=True, kw_only=True):
    """One build of a workspace. `status_reason` is Genba's own: why it is in that status, in plain words."""

    id: str
    created_at: datetime
    updated_at: datetime
    workspace_id: str
    workspace_name: str
    workspace_owner_id: str
    workspace_owner_name: str
    workspace_owner_avatar_url: str
    template_version_id: str
    template_version_name: str
    build_number: int
    transition: str
    initiator_id: str
    initiator_name: str
    job: ProvisionerJob
    reason: str
    resources: list[WorkspaceResource]
    deadline: datetime | None
    max_deadline: datetime | None
    status: str
    daily_cost: int
    matched_provisioners: MatchedProvisioners | None = None
    template_version_preset_id: str | None = None
    status_reason: str = ""


class WorkspaceHealth(Message, frozen=True, kw_only=True):
    """Whether all agents of a running workspace are well."""

    healthy: bool
    failing_agents: list[str]


class Workspace(Message, frozen=True, kw_only=True):
    """One workspace with its latest build."""

    id: str
    created_at: datetime
    updated_at: datetime
    owner_id: str
    owner_name: str
    owner_avatar_url: str
    organization_id: str
    organization_name: str
    template_id: str
    template_name: str
    template_display_name: str
    template_icon: str
    template_allow_user_cancel_workspace_jobs: bool
    template_active_version_id: str
    template_require_active_version: bool
    latest_build: WorkspaceBuild
    outdated: bool
    name: str
    last_used_at: datetime
    health: WorkspaceHealth
    automatic_updates: str
    allow_renames: bool
    favorite: bool
    autostart_schedule: str | None = None
    ttl_ms: int | None = None
    deleting_at: datetime | None = None
    dormant_at: datetime | None = None
    next_start_at: datetime | None = None


class WorkspacesResponse(Message, frozen=True, kw_only=True):
    """GET /workspaces; `count` is the total before the limit."""

    workspaces: list[Workspace]
    count: int


class CreateWorkspaceRequest(Message, frozen=True, kw_only=True):
    """POST /users/{user}/workspaces."""

    name: str
    template_id: str = ""
    template_version_id: str = ""
    autostart_schedule: str | None = None
    ttl_ms: int | None = None
    rich_parameter_values: list[BuildParameter] = []
    automatic_updates: str = ""
    template_version_preset_id: str = ""


class CreateBuildRequest(Message, frozen=True, kw_only=True):
    """POST /workspaces/{workspace}/builds; `state` is base64."""

    transition: str
    template_version_id: str = ""
    dry_run: bool = False
    state: str | None = None
    orphan: bool = False
    rich_parameter_values: list[BuildParameter] = []
    log_level: str = ""
    reason: str = ""
    template_version_preset_id: str = ""


class UpdateTTLRequest(Message, frozen=True, kw_only=True):
    """PUT /workspaces/{workspace}/ttl; null or 0: it never stops by itself."""

    ttl_ms: int | None = None


class UpdateAutostartRequest(Message, frozen=True, kw_only=True):
    """PUT /workspaces/{workspace}/autostart; null or empty: it never starts by itself."""

    schedule: str | None = None


class ResolveAutostartResponse(Message, frozen=True, kw_only=True):
    """GET /workspaces/{workspace}/resolve-autostart: whether the next start by schedule lacks a parameter."""

    parameter_mismatch: bool


class UpdateAutomaticUpdatesRequest(Message, frozen=True, kw_only=True):
    """PUT /workspaces/{workspace}/autoupdates: `always` or `never`."""

    automatic_updates: str


class UpdateDormancyRequest(Message, frozen=True, kw_only=True):
    """PUT /workspaces/{workspace}/dormant."""

    dormant: bool


class ExtendRequest(Message, frozen=True, kw_only=True):
    """PUT /workspaces/{workspace}/extend."""

    deadline: datetime


class WatchEvent(Message, frozen=True, kw_only=True):
    """One text frame of a `-ws` watch (contract 0.2)."""

    type: str
    data: Workspace | None = None


class UsageRequest(Message, frozen=True, kw_only=True):
    """POST /workspaces/{workspace}/usage; the body may be absent, and both fields or none are there."""

    agent_id: str = ""
    app_name: str = ""
