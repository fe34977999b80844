"""The page of one workspace, and the stream that keeps it live."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.web import states
from genba_gateway.web.forms import FormPage
from genba_gateway.web.languages import current_language, speaking
from genba_gateway.web.pages import Pages
from genba_gateway.web.rendering import render_text, stream_html
from genba_gateway.web.workspace import words
from genba_gateway.web.workspace.app_links import is_safe_link
from genba_gateway.web.workspace.pieces import ChangedPieces, Piece, make_piece
from genba_gateway.web.workspace.shown import Facts, ShownWorkspaces
from genba_gateway.web.workspace.view import WorkspaceView


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace."""
    blueprint = pages.blueprint("workspace")
    read = Permission(Resource.WORKSPACE, Action.READ)

    @blueprint.get("/@<owner>/<name>")
    @needs(read)
    async def show(owner: str, name: str) -> Response:
        actor = current_user()
        view = await shown.view(actor, await shown.find(actor, owner, name))
        facts = await shown.facts(actor, view.workspace)
        token = FormPage(secure=pages.secure).token
        pieces = {piece.name: piece for piece in make_pieces(view, facts, token)}
        return pages.show("workspace/page.html", view=view, pieces=pieces, crumb="")

    @blueprint.get("/@<owner>/<name>/events")
    @needs(read)
    async def events(owner: str, name: str) -> Response:
        actor = current_user()
        workspace = await shown.find(actor, owner, name)
        token = FormPage(secure=pages.secure).token
        return await stream_html(watch_pieces(shown, actor, workspace.id, token, current_language()))

    return blueprint


async def watch_pieces(
    shown: ShownWorkspaces, actor: UserActor, workspace_id: str, token: str, language: str
) -> AsyncGenerator[str]:
    """The pieces of the page, all at first, then those that change."""
    changed, facts, known = ChangedPieces(), Facts((), ()), None
    async for view in shown.watch(actor, workspace_id, language):
        build = view.workspace.latest_build
        if (now_known := (build.id, build.status, view.workspace.updated_at)) != known:
            known, facts = now_known, await shown.facts(actor, view.workspace)
        with speaking(language):
            pieces = make_pieces(view, facts, token)
        for piece in pieces:
            if text := changed.take(piece):
                yield text


def make_pieces(view: WorkspaceView, facts: Facts, token: str) -> tuple[Piece, ...]:
    """The live pieces of the page, in the language spoken here."""

    def render(name: str) -> str:
        return render_text(
            f"workspace/{name}.html",
            view=view,
            facts=facts,
            words=words,
            states=states,
            csrf_token=token,
            safe_link=is_safe_link,
        )

    names = ("head", "build", "agents", "facts")
    # The logs follow by themselves; they are replaced only when there are others to follow.
    logs = make_piece("logs", render("logs"), key=view.log_key)
    return (*(make_piece(name, render(name), token=token) for name in names), logs)
