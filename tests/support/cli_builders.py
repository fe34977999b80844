"""Messages of the API for tests of the command line, with defaults."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from genba_wire.api.agents import AgentHealth, AgentScript, WorkspaceAgent
from genba_wire.api.deployment import SSHConfigResponse
from genba_wire.api.jobs import JobInput, JobMetadata, ProvisionerJob
from genba_wire.api.message import NIL_UUID
from genba_wire.api.templates import (
    AutostartRequirement,
    AutostopRequirement,
    BuildTimeStats,
    MinimalUser,
    Percentiles,
    Template,
    TemplateVersion,
    TemplateVersionParameter,
)
from genba_wire.api.users import APIKey, Organization, SlimRole, User
from genba_wire.api.workspaces import Workspace, WorkspaceBuild, WorkspaceHealth, WorkspaceResource

NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ORGANIZATION_ID: Final = "11111111-1111-4111-8111-111111111111"
USER_ID: Final = "22222222-2222-4222-8222-222222222222"
TEMPLATE_ID: Final = "33333333-3333-4333-8333-333333333333"
VERSION_ID: Final = "44444444-4444-4444-8444-444444444444"
TOKEN: Final = "abcdefghij-abcdefghijklmnopqrstuv"
FRESH_KEY: Final = "zyxwvutsrq-abcdefghijklmnopqrstuv"


def make_user(**changes: Any) -> User:
    fields: dict[str, Any] = {
        "id": USER_ID,
        "username": "alice",
        "avatar_url": "",
        "name": "Alice",
        "email": "alice@example.com",
        "created_at": NOW,
        "updated_at": NOW,
        "last_seen_at": NOW,
        "status": "active",
        "login_type": "password",
        "theme_preference": "",
        "organization_ids": [ORGANIZATION_ID],
        "roles": [SlimRole(name="owner", display_name="Owner")],
    }
    return User(**(fields | changes))


def make_organization(**changes: Any) -> Organization:
    fields: dict[str, Any] = {
        "id": ORGANIZATION_ID,
        "name": "coder",
        "display_name": "Coder",
        "icon": "",
        "description": "",
        "created_at": NOW,
        "updated_at": NOW,
        "is_default": True,
    }
    return Organization(**(fields | changes))


def make_job(**changes: Any) -> ProvisionerJob:
    fields: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "created_at": NOW,
        "status": "succeeded",
        "file_id": NIL_UUID,
        "tags": {},
        "queue_position": 0,
        "queue_size": 0,
        "organization_id": ORGANIZATION_ID,
        "input": JobInput(),
        "type": "workspace_build",
        "metadata": JobMetadata(
            template_version_name="one",
            template_id=TEMPLATE_ID,
            template_name="host",
            template_display_name="",
            template_icon="",
        ),
    }
    return ProvisionerJob(**(fields | changes))


def make_script(**changes: Any) -> AgentScript:
    fields: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "log_source_id": str(uuid.uuid4()),
        "log_path": "",
        "script": "true",
        "cron": "",
        "run_on_start": True,
        "run_on_stop": False,
        "start_blocks_login": False,
        "timeout": 0,
        "display_name": "Setup",
    }
    return AgentScript(**(fields | changes))


def make_agent(**changes: Any) -> WorkspaceAgent:
    fields: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "created_at": NOW,
        "updated_at": NOW,
        "status": "connected",
        "lifecycle_state": "ready",
        "name": "main",
        "resource_id": str(uuid.uuid4()),
        "architecture": "amd64",
        "environment_variables": {},
        "operating_system": "linux",
        "logs_length": 0,
        "logs_overflowed": False,
        "version": "v2.20.0",
        "api_version": "1.0",
        "apps": [],
        "connection_timeout_seconds": 120,
        "troubleshooting_url": "",
        "subsystems": [],
        "health": AgentHealth(healthy=True),
        "display_apps": [],
        "log_sources": [],
        "scripts": [],
        "startup_script_behavior": "non-blocking",
    }
    return WorkspaceAgent(**(fields | changes))


def make_resource(agents: list[WorkspaceAgent], **changes: Any) -> WorkspaceResource:
    fields: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "created_at": NOW,
        "job_id": NIL_UUID,
        "workspace_transition": "start",
        "type": "terraform_data",
        "name": "host",
        "hide": False,
        "icon": "",
        "agents": agents,
        "metadata": [],
        "daily_cost": 0,
    }
    return WorkspaceResource(**(fields | changes))


def make_build(**changes: Any) -> WorkspaceBuild:
    fields: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "created_at": NOW,
        "updated_at": NOW,
        "workspace_id": NIL_UUID,
        "workspace_name": "dev",
        "workspace_owner_id": USER_ID,
        "workspace_owner_name": "alice",
        "workspace_owner_avatar_url": "",
        "template_version_id": VERSION_ID,
        "template_version_name": "one",
        "build_number": 1,
        "transition": "start",
        "initiator_id": USER_ID,
        "initiator_name": "alice",
        "job": make_job(),
        "reason": "initiator",
        "resources": [],
        "deadline": None,
        "max_deadline": None,
        "status": "running",
        "daily_cost": 0,
    }
    return WorkspaceBuild(**(fields | changes))


def make_workspace(**changes: Any) -> Workspace:
    fields: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "created_at": NOW,
        "updated_at": NOW,
        "owner_id": USER_ID,
        "owner_name": "alice",
        "owner_avatar_url": "",
        "organization_id": ORGANIZATION_ID,
        "organization_name": "coder",
        "template_id": TEMPLATE_ID,
        "template_name": "host",
        "template_display_name": "Host",
        "template_icon": "",
        "template_allow_user_cancel_workspace_jobs": True,
        "template_active_version_id": VERSION_ID,
        "template_require_active_version": False,
        "latest_build": make_build(),
        "outdated": False,
        "name": "dev",
        "last_used_at": NOW,
        "health": WorkspaceHealth(healthy=True, failing_agents=[]),
        "automatic_updates": "never",
        "allow_renames": False,
        "favorite": False,
    }
    return Workspace(**(fields | changes))


def make_template(**changes: Any) -> Template:
    none = Percentiles(P50=None, P95=None)
    fields: dict[str, Any] = {
        "id": TEMPLATE_ID,
        "created_at": NOW,
        "updated_at": NOW,
        "organization_id": ORGANIZATION_ID,
        "organization_name": "coder",
        "organization_display_name": "Coder",
        "organization_icon": "",
        "name": "host",
        "display_name": "Host",
        "provisioner": "terraform",
        "active_version_id": VERSION_ID,
        "active_user_count": 2,
        "build_time_stats": BuildTimeStats(start=none, stop=none, delete=none),
        "description": "",
        "deprecated": False,
        "deprecation_message": "",
        "icon": "",
        "default_ttl_ms": 0,
        "activity_bump_ms": 0,
        "autostop_requirement": AutostopRequirement(days_of_week=[], weeks=1),
        "autostart_requirement": AutostartRequirement(days_of_week=[]),
        "created_by_id": USER_ID,
        "created_by_name": "alice",
        "allow_user_autostart": True,
        "allow_user_autostop": True,
        "allow_user_cancel_workspace_jobs": True,
        "failure_ttl_ms": 0,
        "time_til_dormant_ms": 0,
        "time_til_dormant_autodelete_ms": 0,
        "require_active_version": False,
        "max_port_share_level": "owner",
    }
    return Template(**(fields | changes))


def make_version(**changes: Any) -> TemplateVersion:
    fields: dict[str, Any] = {
        "id": VERSION_ID,
        "organization_id": ORGANIZATION_ID,
        "created_at": NOW,
        "updated_at": NOW,
        "name": "one",
        "message": "",
        "job": make_job(type="template_version_import"),
        "readme": "",
        "created_by": MinimalUser(id=USER_ID, username="alice", avatar_url=""),
        "archived": False,
        "template_id": TEMPLATE_ID,
    }
    return TemplateVersion(**(fields | changes))


def make_parameter(**changes: Any) -> TemplateVersionParameter:
    fields: dict[str, Any] = {
        "name": "size",
        "description": "",
        "description_plaintext": "",
        "type": "string",
        "mutable": True,
        "default_value": "",
        "icon": "",
        "options": [],
        "required": False,
        "ephemeral": False,
    }
    return TemplateVersionParameter(**(fields | changes))


def make_api_key(**changes: Any) -> APIKey:
    fields: dict[str, Any] = {
        "id": "abcdefghij",
        "user_id": USER_ID,
        "last_used": NOW,
        "expires_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        "login_type": "token",
        "scope": "all",
        "token_name": "ci",
        "lifetime_seconds": 3600,
    }
    return APIKey(**(fields | changes))


def make_host_authority(seed: int = 1) -> str:
    """A public key as ssh writes it; nobody has the private one."""
    blob = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + bytes([seed]) * 32
    return "ssh-ed25519 " + base64.b64encode(blob).decode()


def make_ssh_config(**changes: Any) -> SSHConfigResponse:
    fields: dict[str, Any] = {
        "hostname_prefix": "coder.",
        "hostname_suffix": "genba",
        "ssh_config_options": {},
        "host_certificate_authority": make_host_authority(),
    }
    return SSHConfigResponse(**(fields | changes))
