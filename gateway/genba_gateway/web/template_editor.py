"""Pages that change a template: a file is edited and pushed, its import followed, its plan seen, and it is promoted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final

from quart import Blueprint, Response, request

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.jobs import ACTIVE, Job, JobStatus, StoredJobLog
from genba_gateway.domain.provisioning import TemplateParameter
from genba_gateway.domain.templates import Template, TemplateVersion
from genba_gateway.errors import BadRequest
from genba_gateway.services.dry_runs import DryRuns
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.template_files import TemplateFiles
from genba_gateway.services.templates import Templates
from genba_gateway.services.visibility import parse_id
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import current_language, speaking, translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.parameter_fields import choose_control
from genba_gateway.web.rendering import render_text, stream_html
from genba_gateway.web.states import job_state, version_state
from genba_gateway.web.template_pages import Frame, TemplateFinder, template_address, view_template
from genba_gateway.web.workspace.words import STAGES
from genba_wire.api.dry_runs import CreateDryRunRequest
from genba_wire.api.workspaces import BuildParameter

LEAVE_S: Final = 10.0
"""How long a page has to leave the stream of a log that has ended."""


@dataclass(frozen=True, slots=True)
class ShownLog:
    """The log of a job, as a page shows it."""

    lines: Sequence[StoredJobLog]
    stream: str
    """Where its lines come from while it is under way; empty when it has ended."""
    error: str


def make_blueprint(
    pages: Pages, finder: TemplateFinder, templates: Templates, files: TemplateFiles, dry_runs: DryRuns, jobs: Jobs
) -> Blueprint:
    """/templates/{template}/edit, and the pages of its versions."""
    blueprint = pages.blueprint("template editor")
    _add_editor(blueprint, pages, finder, files)
    _add_version(blueprint, pages, finder, templates, jobs)
    _add_plan(blueprint, pages, finder, dry_runs, jobs)
    return blueprint


def version_address(template: Template, version: TemplateVersion) -> str:
    """The page of a version."""
    return f"{template_address(template.name)}/versions/{version.name}"


def _add_editor(blueprint: Blueprint, pages: Pages, finder: TemplateFinder, files: TemplateFiles) -> None:
    update = Permission(Resource.TEMPLATE, Action.UPDATE)

    def show(
        template: Template, version: TemplateVersion, path: str, text: str, *, problem: str = "", status: int = 200
    ) -> Response:
        frame = Frame(view_template(template), "/files")
        return pages.show(
            "templates/edit.html", status=status, frame=frame, version=version, path=path, text=text, problem=problem
        )

    @blueprint.get("/templates/<template>/edit")
    @needs(update)
    async def edit(template: str) -> Response:
        found = await finder.find(template)
        version = await finder.find_version(found, request.args.get("version", ""))
        path = request.args.get("path", "")
        listed = {file.path: file.text for file in await files.list_files(current_user(), version)}
        if path in listed and listed[path] is None:
            raise BadRequest(translate("%(path)s is no text, or too large to be edited here.") % {"path": path})
        return show(found, version, path, listed.get(path) or "")

    @blueprint.post("/templates/<template>/edit")
    @needs(update)
    async def push(template: str) -> Response:
        form = await read_form()
        found = await finder.find(template)
        version = await finder.find_version(found, form.get("version", ""))
        path, text = form.get("path", "").strip(), form.get("text", "").replace("\r\n", "\n")
        try:
            made = await files.push_changed(current_user(), found, version, {path: text}, form.get("message", ""))
        except BadRequest as error:
            return show(found, version, path, text, problem=say_error(error.message), status=error.status)
        return pages.go(version_address(found, made))


def _add_version(blueprint: Blueprint, pages: Pages, finder: TemplateFinder, templates: Templates, jobs: Jobs) -> None:
    read, update = Permission(Resource.TEMPLATE, Action.READ), Permission(Resource.TEMPLATE, Action.UPDATE)
    base = "/templates/<template>/versions/<version>"

    @blueprint.get(base)
    @needs(read)
    async def show_version(template: str, version: str) -> Response:
        found = await finder.find(template)
        shown = await finder.find_version(found, version)
        return pages.show(
            "templates/version.html",
            frame=Frame(view_template(found), "/versions"),
            version=shown,
            address=version_address(found, shown),
            may_change=current_user().may(update),
            can_promote=shown.job.status is JobStatus.SUCCEEDED and shown.id != found.active_version_id,
            state=version_state(shown),
            log=await _show_log(jobs, shown.job, f"{version_address(found, shown)}/log"),
            stages=STAGES,
        )

    @blueprint.get(f"{base}/log")
    @needs(read)
    async def follow_import(template: str, version: str) -> Response:
        found = await finder.find(template)
        shown = await finder.find_version(found, version)
        return await stream_html(_follow(jobs, shown.job, current_language()))

    @blueprint.post(f"{base}/promote")
    @needs(update)
    async def promote(template: str, version: str) -> Response:
        await read_form()
        found = await finder.find(template)
        shown = await finder.find_version(found, version)
        await templates.promote(current_user(), found.id, shown.id)
        good = translate("%(version)s is the active version: new workspaces are made from it.") % {
            "version": shown.name
        }
        return pages.go(f"{template_address(found.name)}/versions", good=good)


def _add_plan(blueprint: Blueprint, pages: Pages, finder: TemplateFinder, dry_runs: DryRuns, jobs: Jobs) -> None:
    update = Permission(Resource.TEMPLATE, Action.UPDATE)
    base = "/templates/<template>/versions/<version>/plan"

    @blueprint.post(base)
    @needs(update)
    async def plan(template: str, version: str) -> Response:
        await read_form()
        found = await finder.find(template)
        shown = await finder.find_version(found, version)
        needed = [each for each in await finder.list_parameters(shown) if each.required]
        values = [BuildParameter(name=each.name, value=_example(each)) for each in needed]
        job, _ = await dry_runs.create(current_user(), shown.id, CreateDryRunRequest(rich_parameter_values=values))
        return pages.go(f"{version_address(found, shown)}/plan/{job.id}")

    @blueprint.get(f"{base}/<job>")
    @needs(update)
    async def show_plan(template: str, version: str, job: str) -> Response:
        found = await finder.find(template)
        shown = await finder.find_version(found, version)
        run, _ = await dry_runs.get(current_user(), shown.id, parse_id(job, "job"))
        address = version_address(found, shown)
        is_over = run.status is JobStatus.SUCCEEDED
        return pages.show(
            "templates/plan.html",
            frame=Frame(view_template(found), "/versions"),
            version=shown,
            address=address,
            resources=await dry_runs.list_resources(current_user(), shown.id, run.id) if is_over else (),
            state=job_state(run.status),
            log=await _show_log(jobs, run, f"{address}/plan/{run.id}/log"),
            stages=STAGES,
        )

    @blueprint.get(f"{base}/<job>/log")
    @needs(update)
    async def follow_plan(template: str, version: str, job: str) -> Response:
        found = await finder.find(template)
        shown = await finder.find_version(found, version)
        run, _ = await dry_runs.get(current_user(), shown.id, parse_id(job, "job"))
        return await stream_html(_follow(jobs, run, current_language()))


def _example(parameter: TemplateParameter) -> str:
    """A value for a parameter that has no default: its first option, or the least of its type."""
    if parameter.options:
        first = parameter.options[0].value
        return json.dumps([first]) if choose_control(parameter) == "several" else first
    examples = {"number": str(parameter.validation_min or 0), "bool": "false", "list(string)": "[]"}
    return examples.get(parameter.type, "example")


async def _show_log(jobs: Jobs, job: Job, stream: str) -> ShownLog:
    """What templates/job_log.html shows: all lines of a job that has ended, else a stream that brings them."""
    is_active = job.status in ACTIVE
    lines = [] if is_active else await jobs.list_logs(job.id, after=0, before=None)
    return ShownLog(lines, stream if is_active else "", job.error)


async def _follow(jobs: Jobs, job: Job, language: str) -> AsyncGenerator[str]:
    """The lines of a job as they come, then the word to load the page anew: what it made is shown there."""
    async for line in jobs.follow_logs(job.id, after=0):
        with speaking(language):
            yield render_text("templates/log_lines.html", lines=[line], stages=STAGES)
    with speaking(language):
        yield render_text("templates/log_end.html")
    # The page loads anew and leaves; a stream that ended first would be an error to it, which it would try again.
    await asyncio.sleep(LEAVE_S)
