"""What builds and their jobs say about themselves, for commands that need no more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from genba_wire.api.agents import WorkspaceAgent
    from genba_wire.api.jobs import ProvisionerJob
    from genba_wire.api.workspaces import WorkspaceBuild

UNFINISHED: Final = frozenset({"pending", "running", "canceling"})


def is_over(job: ProvisionerJob) -> bool:
    """Whether nothing more will happen."""
    return job.status not in UNFINISHED


def agents_of(build: WorkspaceBuild) -> list[WorkspaceAgent]:
    """The agents of a build, in the order of its resources."""
    return [agent for resource in build.resources for agent in resource.agents]
