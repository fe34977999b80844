"""The settings of a workspace: when it starts and stops by itself, its name, its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, GenbaError
from genba_gateway.services.visibility import not_found, require
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.workspace.schedule import DAYS, read_schedule, write_schedule
from genba_gateway.web.workspace.shown import ShownWorkspaces
from genba_gateway.web.workspace.view import path_of

MAX_HOURS_CHARS: Final = 8
MAX_HOURS: Final = 10_000
"""More than any rule lets pass, and few enough for times to hold them; the rules themselves are the services'."""


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace/settings."""
    blueprint = pages.blueprint("workspace settings")
    update = Permission(Resource.WORKSPACE, Action.UPDATE)
    services = shown.services

    async def find(owner: str, name: str) -> Workspace:
        actor = current_user()
        workspace = await shown.find(actor, owner, name)
        require(actor, Resource.WORKSPACE, Action.UPDATE, workspace.owner_id)
        if workspace.deleted:
            raise not_found()
        return workspace

    @blueprint.get("/@<owner>/<name>/settings")
    @needs(update)
    async def show(owner: str, name: str) -> Response:
        workspace = await find(owner, name)
        actor = current_user()
        schedule = workspace.autostart_schedule or ""
        return pages.show(
            "workspace/settings.html",
            view=await shown.glance(actor, workspace),
            rules=await services.templates.get(actor, workspace.template_id),
            hours=f"{workspace.ttl_ms / 3_600_000:g}" if workspace.ttl_ms else "",
            schedule=read_schedule(schedule),
            other_schedule=schedule if schedule and read_schedule(schedule) is None else "",
            days=DAYS,
        )

    @blueprint.post("/@<owner>/<name>/settings/name")
    @needs(update)
    async def rename(owner: str, name: str) -> Response:
        form = await read_form()
        workspace = await find(owner, name)
        try:
            await services.workspaces.rename(current_user(), workspace.id, form.get("name", "").strip())
        except GenbaError as error:
            return pages.go(f"{path_of(workspace)}/settings", bad=say_error(error.message))
        renamed = await services.workspaces.get(current_user(), workspace.id)
        return pages.go(f"{path_of(renamed)}/settings", good=translate("It has another name, and so has its address."))

    @blueprint.post("/@<owner>/<name>/settings/stop")
    @needs(update)
    async def set_stop(owner: str, name: str) -> Response:
        form = await read_form()
        workspace = await find(owner, name)
        path = f"{path_of(workspace)}/settings"
        try:
            await services.deadlines.set_ttl(current_user(), workspace.id, read_hours(form.get("hours", "")))
        except GenbaError as error:
            return pages.go(path, bad=say_error(error.message))
        return pages.go(path, good=translate("Saved."))

    @blueprint.post("/@<owner>/<name>/settings/extend")
    @needs(update)
    async def extend(owner: str, name: str) -> Response:
        form = await read_form()
        workspace = await find(owner, name)
        path = f"{path_of(workspace)}/settings"
        try:
            hours = read_hours(form.get("more", ""))
            build = workspace.latest_build
            deadline = (build.deadline or shown.now()) + timedelta(milliseconds=hours or 0)
            await services.deadlines.extend(current_user(), workspace.id, deadline)
        except GenbaError as error:
            return pages.go(path, bad=say_error(error.message))
        return pages.go(path, good=translate("Saved."))

    @blueprint.post("/@<owner>/<name>/settings/start")
    @needs(update)
    async def set_start(owner: str, name: str) -> Response:
        form = await read_form()
        workspace = await find(owner, name)
        path = f"{path_of(workspace)}/settings"
        try:
            schedule = write_schedule(form.get("time", ""), form.getlist("day"), form.get("zone", ""))
            await services.autostarts.set_schedule(current_user(), workspace.id, schedule)
        except GenbaError as error:
            return pages.go(path, bad=say_error(error.message))
        return pages.go(path, good=translate("Saved."))

    return blueprint


def read_hours(text: str) -> int | None:
    """Hours as milliseconds, or None for nothing.

    Raises:
        BadRequest: it is no number, or too large a one.
    """
    text = text.strip()
    if not text:
        return None
    try:
        hours = float(text) if len(text) <= MAX_HOURS_CHARS else -1.0
    except ValueError:
        hours = -1.0
    if not 0 <= hours < float("inf"):
        raise BadRequest(translate("Write the hours as a number, such as 8 or 1.5, or leave the field empty."))
    if hours > MAX_HOURS:
        raise BadRequest(translate("Write at most %(hours)s hours.") % {"hours": MAX_HOURS})
    return round(hours * 3_600_000)
