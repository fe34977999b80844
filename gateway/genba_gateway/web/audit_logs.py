"""The page of the audit log: who did what to which thing, for who may read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Resource, RouteAccess
from genba_gateway.domain.audit_logs import AuditEntry
from genba_gateway.errors import BadRequest
from genba_gateway.services.audit_logs import AuditLogs
from genba_gateway.services.visibility import require
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.listings import read_listing, search_problem
from genba_gateway.web.pages import Pages

ENTRIES_PER_PAGE: Final = 50
_REFUSED: Final = 400
"""From this status on, what was tried was not done."""

_ACTIONS: Final = {
    "create": mark("created"),
    "write": mark("changed"),
    "delete": mark("deleted"),
    "start": mark("started"),
    "stop": mark("stopped"),
    "login": mark("signed in"),
    "logout": mark("signed out"),
    "connect": mark("connected"),
}
THINGS: Final = {
    "api_key": mark("API key"),
    "appearance": mark("Appearance"),
    "file": mark("File"),
    "git_ssh_key": mark("SSH key for git"),
    "health_settings": mark("Settings of the health page"),
    "ssh_host_certificate": mark("Certificate of an SSH host"),
    "template": mark("Template"),
    "template_version": mark("Template version"),
    "user": mark("User"),
    "workspace": mark("Workspace"),
    "workspace_agent": mark("Agent of a workspace"),
    "workspace_app": mark("App of a workspace"),
    "workspace_build": mark("Build of a workspace"),
}


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry in words."""

    time: datetime
    who: str
    """Empty where it is unknown."""
    action: str
    is_refused: bool
    thing: str
    target: str
    link: str
    """The page of what it was done to; empty where that has none, or is gone."""
    is_deleted: bool
    changes: Sequence[tuple[str, str]]
    ip_address: str
    user_agent: str


def make_blueprint(pages: Pages, audit_logs: AuditLogs) -> Blueprint:
    """/audit. Who may not read it is told that there is no such page."""
    blueprint = pages.blueprint("audit log")

    @blueprint.get("/audit")
    @needs(RouteAccess.SIGNED_IN)
    async def list_entries() -> Response:
        actor = current_user()
        require(actor, Resource.AUDIT_LOG, Action.READ)
        listing = read_listing("/audit", ENTRIES_PER_PAGE)
        try:
            found, count = await audit_logs.list_page(
                actor, listing.query, limit=ENTRIES_PER_PAGE, offset=listing.offset
            )
        except BadRequest as error:
            problem = search_problem(error)
            return pages.show("audit/list.html", status=400, entries=[], listing=listing, problem=problem)
        shown = [view_entry(entry) for entry in found]
        return pages.show("audit/list.html", entries=shown, listing=replace(listing, count=count), problem="")

    return blueprint


def view_entry(entry: AuditEntry) -> EntryView:
    """Show an entry in the language spoken here; kinds that nobody has named yet by their own words."""
    action, kind = entry.action, entry.resource_type
    return EntryView(
        time=entry.time,
        who=entry.user.username if entry.user is not None else "",
        action=translate(_ACTIONS[action]) if action in _ACTIONS else action,
        is_refused=entry.status_code >= _REFUSED,
        thing=translate(THINGS[kind]) if kind in THINGS else kind.replace("_", " "),
        target=entry.resource_target,
        link="" if entry.is_deleted else _link_of(kind, entry.resource_target),
        is_deleted=entry.is_deleted,
        changes=list(entry.additional_fields.items()),
        ip_address=entry.ip_address,
        user_agent=entry.user_agent,
    )


def _link_of(kind: str, target: str) -> str:
    folder = {"template": "/templates", "user": "/users"}.get(kind, "")
    return f"{folder}/{quote(target, safe='')}" if folder and target else ""
