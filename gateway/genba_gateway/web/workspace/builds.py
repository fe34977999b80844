"""The builds of a workspace: their list, one of them, and its log as text."""

from __future__ import annotations

from typing import Final

from quart import Blueprint, Response, request

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.jobs import ACTIVE, JobStatus
from genba_gateway.domain.workspaces import Build, Workspace
from genba_gateway.services.visibility import not_found
from genba_gateway.web import states
from genba_gateway.web.pages import Pages
from genba_gateway.web.workspace import words
from genba_gateway.web.workspace.agent_steps import list_agent_steps
from genba_gateway.web.workspace.log_text import answer_text, build_log_text
from genba_gateway.web.workspace.shown import ShownWorkspaces

PAGE_BUILDS: Final = 25
MAX_NUMBER_DIGITS: Final = 9


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace/builds."""
    blueprint = pages.blueprint("builds")
    read = Permission(Resource.WORKSPACE, Action.READ)
    builds, jobs = shown.services.builds, shown.services.jobs

    async def find(owner: str, name: str, number: str) -> tuple[Workspace, Build]:
        actor = current_user()
        workspace = await shown.find(actor, owner, name)
        wanted = read_number(number)
        if wanted is None:
            raise not_found()
        return workspace, await builds.get_by_number(actor, workspace, wanted)

    @blueprint.get("/@<owner>/<name>/builds")
    @needs(read)
    async def list_builds(owner: str, name: str) -> Response:
        actor = current_user()
        workspace = await shown.find(actor, owner, name)
        page = read_number(request.args.get("page", "1")) or 1
        # One more than is shown tells whether there is a next page.
        found = await builds.list_of_workspace(
            workspace, after_id=None, since=None, limit=PAGE_BUILDS + 1, offset=(page - 1) * PAGE_BUILDS
        )
        return pages.show(
            "workspace/builds.html",
            view=await shown.glance(actor, workspace),
            builds=found[:PAGE_BUILDS],
            page=page,
            has_more=len(found) > PAGE_BUILDS,
            words=words,
            states=states,
        )

    @blueprint.get("/@<owner>/<name>/builds/<number>")
    @needs(read)
    async def show(owner: str, name: str, number: str) -> Response:
        actor = current_user()
        workspace, build = await find(owner, name, number)
        reader = await shown.steps.read(build.job.id)
        return pages.show(
            "workspace/one_build.html",
            view=await shown.glance(actor, workspace),
            build=build,
            steps=reader.steps(build.job.completed_at),
            agent_steps=list_agent_steps(await shown.services.timings.get_of_build(actor, build.id)),
            parameters=await shown.parameters(actor, build),
            is_active=build.job.status in ACTIVE,
            error=build.job.error if build.job.status is JobStatus.FAILED else "",
            words=words,
            states=states,
        )

    @blueprint.get("/@<owner>/<name>/builds/<number>/log.txt")
    @needs(read)
    async def download(owner: str, name: str, number: str) -> Response:
        workspace, build = await find(owner, name, number)
        text = build_log_text(jobs.read_logs(build.job.id))
        return answer_text(text, f"{workspace.name}-build-{build.build_number}.txt")

    return blueprint


def read_number(text: str) -> int | None:
    """A number of an address from 1 on, or None."""
    if not text.isascii() or not text.isdigit() or len(text) > MAX_NUMBER_DIGITS:
        return None
    return int(text) or None
