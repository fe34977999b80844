"""Templates and their versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genba_gateway.domain.jobs import Job


@dataclass(frozen=True, slots=True)
class Template:
    """One template with the names that its JSON needs."""

    id: str
    organization_id: str
    organization_name: str
    organization_display_name: str
    organization_icon: str
    name: str
    display_name: str
    description: str
    icon: str
    provisioner: str
    active_version_id: str
    created_by: str
    created_by_name: str
    default_ttl_ms: int
    activity_bump_ms: int
    allow_user_cancel_workspace_jobs: bool
    allow_user_autostart: bool
    allow_user_autostop: bool
    require_active_version: bool
    max_port_share_level: str
    deprecation_message: str
    created_at: datetime
    updated_at: datetime
    deleted: bool


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version; `template_*` are empty while it belongs to no template."""

    id: str
    template_id: str | None
    organization_id: str
    name: str
    message: str
    readme: str
    created_by: str
    created_by_name: str
    created_by_avatar_url: str
    archived: bool
    created_at: datetime
    updated_at: datetime
    job: Job
    template_name: str = ""
    template_display_name: str = ""
    template_icon: str = ""


@dataclass(frozen=True, slots=True)
class BuildTimes:
    """Median and 95th percentile of a transition's builds in milliseconds; None without builds."""

    p50_ms: int | None
    p95_ms: int | None
