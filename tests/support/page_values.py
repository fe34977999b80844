"""Workspaces, builds and agents as the use cases give them to the pages, without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from genba_gateway.domain.agents import Agent, App
from genba_gateway.domain.jobs import Job, JobType
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import Build, Workspace

NOW: Final = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
OWNER_ID: Final = "owner-id"


def make_app(slug: str = "web", **changes: Any) -> App:
    """An app of the user's own on a port, which nothing checks."""
    values: dict[str, Any] = {
        "id": "1",
        "slug": slug,
        "display_name": "",
        "url": "http://localhost:80",
        "command": "",
        "icon": "",
        "external": False,
        "subdomain": False,
        "sharing_level": "owner",
        "healthcheck": None,
        "health": "disabled",
        "hidden": False,
        "open_in": "slim-window",
    }
    return App(**{**values, **changes})


def make_agent(**changes: Any) -> Agent:
    """An agent that has not connected yet."""
    values: dict[str, Any] = {
        "id": "agent-id",
        "resource_id": "r",
        "name": "main",
        "position": 0,
        "instance_id": "",
        "architecture": "amd64",
        "operating_system": "linux",
        "directory": "",
        "expanded_directory": "",
        "version": "",
        "api_version": "",
        "boot_id": "",
        "connection_timeout_s": 120,
        "troubleshooting_url": "",
        "motd_file": "",
        "startup_script_behavior": "non-blocking",
        "display_apps": ("web_terminal",),
        "subsystems": (),
        "host_boot_id": "",
        "lifecycle_state": "created",
        "disconnect_reason": "",
        "logs_length": 0,
        "logs_overflowed": False,
        "first_connected_at": None,
        "last_connected_at": None,
        "disconnected_at": None,
        "started_at": None,
        "ready_at": None,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Agent(**{**values, **changes})


def make_build(
    transition: Transition = Transition.START, *, job: dict[str, Any] | None = None, **changes: Any
) -> Build:
    """A build whose job has succeeded at `NOW`; `job` changes that."""
    made: dict[str, Any] = {"started_at": NOW, "completed_at": NOW, "canceled_at": None, "error": "", **(job or {})}
    values: dict[str, Any] = {
        "id": "build-id",
        "workspace_id": "workspace-id",
        "workspace_name": "dev",
        "owner_id": OWNER_ID,
        "owner_name": "ana",
        "owner_avatar_url": "",
        "template_id": "t",
        "template_name": "docker",
        "template_display_name": "",
        "template_icon": "",
        "template_version_id": "v1",
        "template_version_name": "first",
        "build_number": 1,
        "transition": transition,
        "initiator_id": OWNER_ID,
        "initiator_name": "ana",
        "reason": "initiator",
        "deadline": None,
        "max_deadline": None,
        "orphan": False,
        "debug": False,
        "template_version_preset_id": None,
        "created_at": NOW,
        "updated_at": NOW,
        "job": Job(
            id="job-id",
            organization_id="o",
            initiator_id=OWNER_ID,
            type=JobType.BUILD,
            file_id="f",
            tags={},
            input={},
            created_at=NOW,
            updated_at=NOW,
            error_code="",
            worker_id="",
            **made,
        ),
    }
    return Build(**{**values, **changes})


def make_workspace(build: Build | None = None, **changes: Any) -> Workspace:
    """A workspace of its template's active version."""
    values: dict[str, Any] = dict.fromkeys(Workspace.__dataclass_fields__, "")
    values |= {
        "id": "workspace-id",
        "owner_id": OWNER_ID,
        "owner_name": "ana",
        "name": "dev",
        "template_name": "docker",
        "template_active_version_id": "v1",
        "last_used_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        "deleted": False,
        "favorite": False,
        "next_start_at": None,
        "autostart_schedule": None,
        "ttl_ms": None,
        "latest_build": build or make_build(),
    }
    return Workspace(**{**values, **changes})
