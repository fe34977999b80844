"""Where the pages of one workspace get what they show."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.agents import Agent
from genba_gateway.domain.jobs import JobStatus
from genba_gateway.domain.workspaces import Build, Workspace
from genba_gateway.services.container import Services
from genba_gateway.services.visibility import Clock, not_found
from genba_gateway.services.workspace_sights import WorkspaceSight
from genba_gateway.web.languages import speaking
from genba_gateway.web.parameter_fields import is_masked
from genba_gateway.web.workspace.app_links import MakeSubdomainUrl
from genba_gateway.web.workspace.kept_steps import KeptSteps
from genba_gateway.web.workspace.steps import StepReader
from genba_gateway.web.workspace.view import WorkspaceView, view_workspace

SHOWN_BUILDS: Final = 5
"""On the workspace's own page; the others have a page of theirs."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a page shows of a workspace that changes with its builds only."""

    parameters: Sequence[tuple[str, str | None]]
    """Names as people read them, and values; None for one that is to be hidden."""
    builds: Sequence[Build]


class ShownWorkspaces:
    """Finds workspaces for their pages.

    Args:
        services: all use cases.
        now: the clock.
        make_subdomain_url: gives apps and ports host names of their own.
    """

    def __init__(self, services: Services, now: Clock, make_subdomain_url: MakeSubdomainUrl) -> None:
        self.services = services
        self.now = now
        self.make_subdomain_url = make_subdomain_url
        self.steps = KeptSteps(services.jobs)

    async def find(self, actor: UserActor, owner: str, name: str) -> Workspace:
        """A workspace by the names of its address; one that was deleted, too.

        Raises:
            NotFound: there is none, or the actor may not see it.
        """
        user = await self.services.users.resolve_user(actor, owner)
        return await self.services.workspaces.get_by_name(actor, user, name, include_deleted=True)

    async def find_agent(self, actor: UserActor, owner: str, place: str) -> tuple[Workspace, Agent]:
        """An agent by the names of its address, `workspace.agent`; the workspace's only one when none is named.

        Raises:
            NotFound: there is none, or the actor may not see it.
        """
        name, agent_name = split_place(place)
        workspace = await self.find(actor, owner, name)
        agent = self.pick_agent(workspace, agent_name)
        if agent is None:
            raise not_found()
        return workspace, agent

    def pick_agent(self, workspace: Workspace, name: str) -> Agent | None:
        """The agent of this name of the latest build, or its only one; None while the build has none.

        Raises:
            NotFound: it has others.
        """
        agents = [each for resource in workspace.latest_build.resources for each in resource.agents]
        found = [each for each in agents if name in {"", each.name}]
        if agents and len(found) != 1:
            raise not_found()
        return found[0] if found else None

    async def view(self, actor: UserActor, workspace: Workspace) -> WorkspaceView:
        """A workspace as its page shows it now."""
        sight = await self.services.workspace_sights.look(actor, workspace.id, with_lines=False)
        job = sight.workspace.latest_build.job
        reader = StepReader() if job.status is JobStatus.SUCCEEDED else await self.steps.read(job.id)
        return self._view(actor, sight, reader)

    async def glance(self, actor: UserActor, workspace: Workspace) -> WorkspaceView:
        """The same without the steps of its build: for its other pages."""
        sight = await self.services.workspace_sights.look(actor, workspace.id, with_lines=False)
        return self._view(actor, sight, StepReader())

    async def watch(self, actor: UserActor, workspace_id: str, language: str) -> AsyncGenerator[WorkspaceView]:
        """The same now and after each change, in a language. Check that the actor may see it before."""
        reader, job_id = StepReader(), ""
        async for sight in self.services.workspace_sights.watch(actor, workspace_id, with_lines=False):
            job = sight.workspace.latest_build.job
            # A build that is watched is shown to its end; of one that succeeded before, nobody asks how it went.
            if job.status is not JobStatus.SUCCEEDED or job.id == job_id:
                reader = await self.steps.read(job.id)
            elif job_id:
                reader = StepReader()
            job_id = job.id
            with speaking(language):
                view = self._view(actor, sight, reader)
            yield view

    async def facts(self, actor: UserActor, workspace: Workspace) -> Facts:
        """What belongs to a workspace beside its state."""
        services, build = self.services, workspace.latest_build
        builds = await services.builds.list_of_workspace(
            workspace, after_id=None, since=None, limit=SHOWN_BUILDS, offset=0
        )
        return Facts(await self.parameters(actor, build), builds)

    async def parameters(self, actor: UserActor, build: Build) -> Sequence[tuple[str, str | None]]:
        """What a build was given, in the order of its version's parameters."""
        values = await self.services.builds.list_parameters(actor, build.id)
        known = await self.services.template_versions.list_parameters(actor, build.template_version_id)
        named = [
            (each.display_name or each.name, None if is_masked(each) else values[each.name])
            for each in known
            if each.name in values
        ]
        names = {each.name for each in known}
        return [*named, *((name, value) for name, value in values.items() if name not in names)]

    def _view(self, actor: UserActor, sight: WorkspaceSight, reader: StepReader) -> WorkspaceView:
        steps = reader.steps(sight.workspace.latest_build.job.completed_at)
        return view_workspace(actor, sight, steps, self.now(), self.make_subdomain_url)


def split_place(place: str) -> tuple[str, str]:
    """The names of a workspace and its agent in `workspace.agent`; the second is empty where none is named."""
    name, _, agent = place.partition(".")
    return name, agent
