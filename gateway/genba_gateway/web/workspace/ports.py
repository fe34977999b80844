"""The ports of an agent: those that programs listen on and those that are shared, and a form to share one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from quart import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.agents import Agent
from genba_gateway.domain.app_addresses import MIN_PORT
from genba_gateway.domain.app_rules import SharingLevel, read_level
from genba_gateway.domain.port_shares import PROTOCOLS, PortShare, list_levels_above
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, GenbaError, NotFound
from genba_gateway.services.visibility import not_found, require
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.field_problems import field_problems
from genba_gateway.web.forms import read_form
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.pages import Pages, is_htmx
from genba_gateway.web.workspace.app_links import AppLinks
from genba_gateway.web.workspace.shown import ShownWorkspaces
from genba_gateway.web.workspace.view import may, path_of
from genba_wire.api.agents import ListeningPort

LEVELS: Final = {
    SharingLevel.OWNER: mark("Not shared"),
    SharingLevel.AUTHENTICATED: mark("Everybody who is signed in"),
    SharingLevel.PUBLIC: mark("Everybody, without signing in"),
}
MAX_PORT_DIGITS: Final = 5
_FIELDS: Final = ("port", "share_level", "protocol")


@dataclass(frozen=True, slots=True)
class PortView:
    """One port."""

    number: int
    process: str
    """What listens on it; empty where nothing does, or nobody knows."""
    is_listening: bool
    url: str
    """Empty where ports have no address."""
    level: str
    is_shared: bool


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace.agent/ports…"""
    blueprint = pages.blueprint("ports")
    services = shown.services

    async def find_own(owner: str, place: str) -> tuple[UserActor, Workspace, Agent]:
        actor = current_user()
        workspace, agent = await shown.find_agent(actor, owner, place)
        require(actor, Resource.WORKSPACE, Action.UPDATE, workspace.owner_id)
        if not AppLinks(workspace.owner_name, workspace.name, shown.make_subdomain_url).port_of(agent, MIN_PORT):
            raise not_found()
        return actor, workspace, agent

    async def show_form(
        workspace: Workspace, agent: Agent, typed: MultiDict[str, str], problems: dict[str, str], status: int = 200
    ) -> Response:
        template = await services.templates.get(current_user(), workspace.template_id)
        too_high = list_levels_above(template.max_port_share_level)
        values: dict[str, Any] = {
            "workspace": workspace,
            "agent": agent,
            "path": path_of(workspace),
            "typed": typed,
            "problems": problems,
            "levels": {each.value: translate(label) for each, label in LEVELS.items() if each.value not in too_high},
            "is_limited": bool(too_high),
            "protocols": {each: each.upper() for each in PROTOCOLS},
        }
        if is_htmx():
            return pages.dialog("workspace/share_form.html", **values)
        return pages.show("workspace/share.html", status=status, **values)

    @blueprint.get("/@<owner>/<place>/ports")
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def list_ports(owner: str, place: str) -> Response:
        actor = current_user()
        workspace, agent = await shown.find_agent(actor, owner, place)
        listening: Sequence[ListeningPort] = ()
        problem = ""
        try:
            listening = (await services.listening_ports.list_ports(actor, agent.id)).ports
        except GenbaError as error:
            # The agent went away, or is of a version that can't say: the page goes on without.
            problem = say_error(error.message)
        shares = await services.port_shares.list_shares(actor, workspace.id)
        links = AppLinks(workspace.owner_name, workspace.name, shown.make_subdomain_url)
        return pages.fragment(
            "workspace/ports.html",
            problem=problem,
            ports=view_ports(
                listening, [each for each in shares if each.agent_name == agent.name.lower()], agent, links
            ),
            workspace=workspace.name,
            agent=agent,
            path=path_of(workspace),
            may_share=may(actor, workspace, Action.UPDATE) and bool(links.port_of(agent, MIN_PORT)),
        )

    @blueprint.get("/@<owner>/<place>/ports/share")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def offer_to_share(owner: str, place: str) -> Response:
        actor, workspace, agent = await find_own(owner, place)
        port = _read_port(request.args.get("port", ""))
        now = next(
            (
                share
                for share in await services.port_shares.list_shares(actor, workspace.id)
                if (share.agent_name, share.port) == (agent.name.lower(), port)
            ),
            None,
        )
        typed = MultiDict(
            {
                "port": str(port or ""),
                "share_level": now.share_level if now else SharingLevel.AUTHENTICATED.value,
                "protocol": now.protocol if now else PROTOCOLS[0],
            }
        )
        return await show_form(workspace, agent, typed, {})

    @blueprint.post("/@<owner>/<place>/ports/share")
    @needs(Permission(Resource.WORKSPACE, Action.UPDATE))
    async def share(owner: str, place: str) -> Response:
        form = await read_form()
        actor, workspace, agent = await find_own(owner, place)
        wanted = PortShare(
            workspace_id=workspace.id,
            agent_name=agent.name.lower(),
            port=_read_port(form.get("port", "")),
            share_level=form.get("share_level", ""),
            protocol=form.get("protocol", ""),
        )
        try:
            if wanted.share_level == SharingLevel.OWNER.value:
                await services.port_shares.unshare(actor, workspace.id, wanted.agent_name, wanted.port)
                said = mark("Port %(port)s is not shared.")
            else:
                await services.port_shares.share(actor, wanted)
                said = mark("Port %(port)s is shared.")
        except NotFound:
            said = mark("Port %(port)s is not shared.")
        except BadRequest as error:
            return await show_form(workspace, agent, form, field_problems(error, _FIELDS), error.status)
        return pages.tell(path_of(workspace), good=translate(said) % {"port": wanted.port})

    return blueprint


def view_ports(
    listening: Sequence[ListeningPort], shares: Sequence[PortShare], agent: Agent, links: AppLinks
) -> list[PortView]:
    """The ports that are listened on or shared, by number, in the language spoken here.

    Args:
        listening: what the agent says.
        shares: those of this agent.
        agent: whose ports they are.
        links: makes their addresses.
    """
    found, shared = {each.port: each for each in listening}, {each.port: each for each in shares}
    views: list[PortView] = []
    for number in sorted({*found, *shared}):
        share = shared.get(number)
        level = read_level(share.share_level) if share else SharingLevel.OWNER
        views.append(
            PortView(
                number=number,
                process=found[number].process_name if number in found else "",
                is_listening=number in found,
                url=links.port_of(agent, number, speaks_tls=share is not None and share.protocol == "https"),
                level=translate(LEVELS[level]),
                is_shared=level is not SharingLevel.OWNER,
            )
        )
    return views


def _read_port(text: str) -> int:
    """A port as it was typed; 0 where it is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_PORT_DIGITS else 0
