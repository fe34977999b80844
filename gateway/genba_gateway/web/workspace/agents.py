"""What belongs to one agent beside its terminal: its listening ports, and its log as text."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.errors import GenbaError
from genba_gateway.web.pages import Pages
from genba_gateway.web.workspace.app_links import AppLinks
from genba_gateway.web.workspace.log_text import agent_log_text, answer_text
from genba_gateway.web.workspace.shown import ShownWorkspaces


@dataclass(frozen=True, slots=True)
class PortView:
    """A port that a program listens on; `url` is empty where ports have no address."""

    number: int
    process: str
    url: str


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace.agent/…"""
    blueprint = pages.blueprint("agents")

    @blueprint.get("/@<owner>/<place>/ports")
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def list_ports(owner: str, place: str) -> Response:
        actor = current_user()
        workspace, found = await shown.find_agent(actor, owner, place)
        links = AppLinks(workspace.owner_name, workspace.name, shown.make_subdomain_url)
        try:
            listening = (await shown.services.listening_ports.list_ports(actor, found.id)).ports
        except GenbaError as error:
            # The agent went away, or is of a version that can't say: the page goes on without.
            return pages.fragment("workspace/ports.html", problem=error.message, ports=(), workspace=workspace.name)
        ports = [PortView(each.port, each.process_name, links.port_of(found, each.port)) for each in listening]
        return pages.fragment("workspace/ports.html", problem="", ports=ports, workspace=workspace.name)

    @blueprint.get("/@<owner>/<place>/log.txt")
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def download(owner: str, place: str) -> Response:
        workspace, found = await shown.find_agent(current_user(), owner, place)
        lines = await shown.services.agents.list_logs(found, 0)
        sources = {source.id: source.display_name for source in found.log_sources}
        return answer_text(agent_log_text(lines, sources), f"{workspace.name}-{found.name}.txt")

    return blueprint
