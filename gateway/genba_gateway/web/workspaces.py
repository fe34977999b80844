"""The page of all workspaces: searched, live, and with what can be done to them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlencode

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest
from genba_gateway.services.builds import Builds
from genba_gateway.services.visibility import Clock
from genba_gateway.services.workspace_lists import WorkspaceLists
from genba_gateway.services.workspaces import WorkspacePage, Workspaces
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.forms import local_target, read_form
from genba_gateway.web.languages import current_language, mark, speaking, translate
from genba_gateway.web.pages import Pages, is_htmx
from genba_gateway.web.rendering import render_text, stream_html
from genba_gateway.web.workspace.app_links import MakeSubdomainUrl
from genba_gateway.web.workspace_actions import ACTIONS, WorkspaceActions
from genba_gateway.web.workspace_views import WorkspaceView, view_workspace

PER_PAGE: Final = 100
OWN: Final = "owner:me"
FILTERS: Final = (
    (mark("Mine"), OWN),
    (mark("Running"), f"{OWN} status:running"),
    (mark("Failed"), f"{OWN} status:failed"),
    (mark("Outdated"), f"{OWN} outdated:true"),
)
KEPT_ROWS: Final = 2_000
"""Rows kept as HTML, about 1 KiB each: whoever loads or follows a page shows rows that mostly are as before."""
MAX_PAGE: Final = 10_000
"""Beyond, an offset is a mistake or a trial."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the page shows: it is all in the address, so that back and reload keep it."""

    query: str
    page: int

    @property
    def offset(self) -> int:
        """How many workspaces come before."""
        return (self.page - 1) * PER_PAGE

    def address(self, path: str, page: int | None = None, **more: str) -> str:
        """The address of this place, or of another page of it."""
        number = page or self.page
        fields = {"q": self.query, **({"page": str(number)} if number > 1 else {}), **more}
        return f"{path}?{urlencode(fields)}"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows by workspace: what they show, and that as HTML."""

    views: Mapping[str, WorkspaceView]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a place, as HTML by workspace."""

    rows: Mapping[str, str]
    last_page: int
    is_first: bool
    """Whether nothing was searched for: no rows means that there are none."""
    stream: str
    """Where what changes from here on comes from."""


def make_blueprint(
    pages: Pages,
    workspaces: Workspaces,
    lists: WorkspaceLists,
    builds: Builds,
    now: Clock,
    make_subdomain_url: MakeSubdomainUrl,
) -> Blueprint:
    """/workspaces, its stream, and its actions."""
    blueprint = pages.blueprint("workspaces")
    actions = WorkspaceActions(workspaces, builds)
    read = Permission(Resource.WORKSPACE, Action.READ)

    def view(workspace: Workspace) -> WorkspaceView:
        return view_workspace(workspace, now(), make_subdomain_url)

    @blueprint.get("/workspaces")
    @needs(read)
    async def list_workspaces() -> Response:
        place, problem = _read_place(), ""
        found = WorkspacePage((), 0)
        try:
            found = await workspaces.list_matching(current_user(), place.query, limit=PER_PAGE, offset=place.offset)
        except BadRequest as error:
            problem = say_error(error.message)
        with speaking(current_language()):
            rows = _render_rows(found, view)
        return pages.show(
            "workspaces/list.html",
            status=400 if problem else 200,
            place=place,
            problem=problem,
            filters=FILTERS,
            actions=[ACTIONS[name] for name in ("start", "stop", "update", "delete")],
            listing=_list_rows(rows, found, place),
        )

    @blueprint.get("/workspaces/stream")
    @needs(read)
    async def stream() -> Response:
        place, known, language = _read_place(), request.args.get("known", ""), current_language()
        await workspaces.list_matching(current_user(), place.query, limit=1, offset=0)  # a bad search is said at once
        return await stream_html(changes(current_user(), place, known, language))

    async def changes(actor: UserActor, place: Place, known: str, language: str) -> AsyncGenerator[str]:
        """The rows that changed, or the whole list when others are in it than before."""
        shown = Rows({}, {})
        async for found in lists.watch_matching(actor, place.query, limit=PER_PAGE, offset=place.offset):
            with speaking(language):
                rows = _render_rows(found, view, shown)
                if _digest(rows) == known:
                    shown, known = rows, ""
                    continue
                known = ""
                changed = [each for each in rows.texts if rows.texts[each] != shown.texts.get(each)]
                piece = "".join(
                    render_text("workspaces/changed_row.html", id=each, row=rows.texts[each]) for each in changed
                )
                # Rows stay where they are while one looks at them; a reload puts those that run first again.
                if rows.texts.keys() != shown.texts.keys():
                    listing = _list_rows(rows, found, place)
                    piece = render_text("workspaces/changed_list.html", place=place, listing=listing)
            shown = rows
            if piece:
                yield piece

    @blueprint.post("/workspaces/actions")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def act() -> Response:
        form = await read_form()
        name, ids = _read_choice(form)
        if name not in ACTIONS:
            raise BadRequest(translate("There is no such action."))
        action, back = ACTIONS[name], local_target(form.get("back", ""))
        chosen = await actions.find_chosen(current_user(), ids)
        if action.question and not form.get("confirmed"):
            shown = [view(workspace) for workspace in chosen]
            if not is_htmx():
                return pages.show("workspaces/confirm.html", action=action, chosen=shown, back=back)
            return pages.dialog("workspaces/confirm_form.html", action=action, chosen=shown, back=back)
        outcome = await actions.carry_out(current_user(), action, chosen)
        return pages.tell(back, good=outcome.done, bad=" ".join(outcome.problems))

    return blueprint


def _read_place() -> Place:
    number = request.args.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    return Place(request.args.get("q", OWN), min(max(page, 1), MAX_PAGE))


def _read_choice(form: MultiDict[str, str]) -> tuple[str, list[str]]:
    """What to do with which: a row's own button says both, and what is ticked does not count then."""
    one, _, workspace_id = form.get("one", "").partition(" ")
    return (one, [workspace_id]) if one else (form.get("do", ""), form.getlist("id"))


def _render_rows(found: WorkspacePage, view: Callable[[Workspace], WorkspaceView], before: Rows | None = None) -> Rows:
    """The rows; those that show the same as before are not made again."""
    views = {workspace.id: view(workspace) for workspace in found.workspaces}
    texts = {
        each: before.texts[each]
        if before is not None and before.views.get(each) == shown
        else _render_row(current_language(), shown)
        for each, shown in views.items()
    }
    return Rows(views, texts)


@lru_cache(KEPT_ROWS)
def _render_row(language: str, view: WorkspaceView) -> str:
    with speaking(language):
        return render_text("workspaces/row.html", w=view)


def _list_rows(rows: Rows, found: WorkspacePage, place: Place) -> Listing:
    return Listing(
        rows=rows.texts,
        last_page=max(1, -(-found.count // PER_PAGE)),
        is_first=place.query == OWN and place.page == 1,
        stream=place.address("/workspaces/stream", known=_digest(rows)),
    )


def _digest(rows: Rows) -> str:
    """What a page shows, so that its stream begins with what changed since then."""
    return hashlib.sha256("\0".join([*rows.texts, *rows.texts.values()]).encode()).hexdigest()[:16]
