"""The log of one agent as text."""

from __future__ import annotations

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.web.pages import Pages
from genba_gateway.web.workspace.log_text import agent_log_text, answer_text
from genba_gateway.web.workspace.shown import ShownWorkspaces


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace.agent/…"""
    blueprint = pages.blueprint("agents")

    @blueprint.get("/@<owner>/<place>/log.txt")
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def download(owner: str, place: str) -> Response:
        workspace, found = await shown.find_agent(current_user(), owner, place)
        lines = await shown.services.agents.list_logs(found, 0)
        sources = {source.id: source.display_name for source in found.log_sources}
        return answer_text(agent_log_text(lines, sources), f"{workspace.name}-{found.name}.txt")

    return blueprint
