"""Names of the publish and subscribe channels."""

from __future__ import annotations

from typing import Final

JOBS: Final = "jobs"
"""A job was added to or left the queue."""

RESTARTS: Final = "restarts"
"""A stop that a start shall follow is done."""


def of_workspace(workspace_id: str) -> str:
    """The workspace, its latest build or one of its agents changed."""
    return f"workspace:{workspace_id}"


def of_key(key_id: str) -> str:
    """The API key was taken back."""
    return f"key:{key_id}"


def of_job(job_id: str) -> str:
    """The job changed, or has new log lines."""
    return f"job:{job_id}"


def of_cancel(job_id: str) -> str:
    """Somebody asked for the job's end."""
    return f"cancel:{job_id}"


def of_agent_logs(agent_id: str) -> str:
    """The agent has new log lines."""
    return f"agent-logs:{agent_id}"


def of_agent_metadata(agent_id: str) -> str:
    """The agent's metadata changed."""
    return f"agent-metadata:{agent_id}"
