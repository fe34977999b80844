"""The page of a terminal (contract 3.1), over the agent's websocket of the API."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.terminals import MAX_COMMAND_CHARS
from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.agents import Agent, AgentStatus, agent_status
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.session_grants import USE_AGENT
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest
from genba_gateway.services.visibility import not_found, require
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages
from genba_gateway.web.workspace.shown import ShownWorkspaces, split_place
from genba_gateway.web.workspace.view import path_of
from genba_gateway.web.workspace.words import explain_agent, explain_state


@dataclass(frozen=True, slots=True)
class Place:
    """Where a terminal is to be: `agent` is None while the build that makes it has not got so far."""

    workspace: Workspace
    agent: Agent | None


def make_blueprint(pages: Pages, shown: ShownWorkspaces) -> Blueprint:
    """/@owner/workspace.agent/terminal."""
    blueprint = pages.blueprint("terminal")

    async def find(actor: UserActor, owner: str, place: str) -> Place:
        name, agent_name = split_place(place)
        workspace = await shown.find(actor, owner, name)
        require(actor, Resource.WORKSPACE, Action.SSH, workspace.owner_id)
        if workspace.deleted:
            raise not_found()
        return Place(workspace, shown.pick_agent(workspace, agent_name))

    @blueprint.get("/@<owner>/<place>/terminal")
    @needs(USE_AGENT)
    async def show(owner: str, place: str) -> Response:
        found = await find(current_user(), owner, place)
        if found.workspace.latest_build.transition is not Transition.START:
            return pages.show("workspace/not_running.html", status=400, path=path_of(found.workspace))
        waits_for = explain_wait(found, shown)
        nonce = secrets.token_urlsafe(16)
        command, is_asked = read_command(found.agent)
        return pages.show(
            "workspace/terminal.html",
            status=502 if waits_for else 200,
            # xterm.js makes style sheets of its own: they carry this nonce, and no others are taken.
            policy={"style-src": f"'self' 'nonce-{nonce}'"},
            nonce=nonce,
            path=path_of(found.workspace),
            place=place,
            owner=owner,
            workspace=found.workspace,
            agent=found.agent,
            command=command,
            asks_first=is_asked,
            waits_for=waits_for,
        )

    @blueprint.get("/@<owner>/<place>/terminal/state")
    @needs(USE_AGENT)
    async def tell_state(owner: str, place: str) -> Response:
        found = await find(current_user(), owner, place)
        known = request.args.get("agent", "")
        is_other = (found.agent.id if found.agent else "") != known
        is_over = found.workspace.latest_build.transition is not Transition.START
        return answer({"reload": is_other or is_over, "message": explain_wait(found, shown)})

    return blueprint


def explain_wait(place: Place, shown: ShownWorkspaces) -> str:
    """What has to happen before the terminal opens, as plain text; nothing when it can."""
    if place.agent is None:
        return str(explain_state(place.workspace.latest_build).striptags())
    now = shown.now()
    if agent_status(place.agent, now)[0] is AgentStatus.CONNECTED:
        return ""
    return str(explain_agent(place.agent, now).striptags())


def read_command(agent: Agent | None) -> tuple[str, bool]:
    """What is run in place of the shell, and whether the visitor is asked before.

    A template's command is run as its author wrote it. One that stands in the address could be anybody's who made the
    link: it is shown, and run when the visitor says so.

    Raises:
        BadRequest: it is too long.
        NotFound: the agent has no such app.
    """
    if (slug := request.args.get("app", "")) and agent is not None:
        found = [app.command for app in agent.apps if app.slug == slug and app.command]
        if not found:
            raise not_found()
        return found[0], False
    command = request.args.get("command", "")
    if len(command) > MAX_COMMAND_CHARS:
        raise BadRequest(translate("The command in this address is too long."))
    return command, bool(command)
