from __future__ import annotations

from typing import Any

import pytest

from genba_gateway.domain.actors import OWNER, UserActor
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import Resource
from genba_gateway.services.workspace_sights import WorkspaceSight
from genba_gateway.web.workspace.dashboard import no_subdomains
from genba_gateway.web.workspace.steps import BuildSteps
from genba_gateway.web.workspace.view import WorkspaceView, list_actions, view_workspace
from tests.support.page_values import NOW, OWNER_ID, make_agent, make_app, make_build, make_workspace

ANA = UserActor(OWNER_ID, "ana", (), "k")
BOB = UserActor("bob-id", "bob", (), "k")
ROOT = UserActor("root-id", "root", (OWNER,), "k")


def view(actor: UserActor = ANA, **build: Any) -> WorkspaceView:
    workspace = make_workspace(make_build(**build))
    return view_workspace(actor, WorkspaceSight(workspace, (), {}), BuildSteps(), NOW, no_subdomains)


@pytest.mark.parametrize(
    ("transition", "job", "actions"),
    [
        (Transition.START, {}, ("stop", "restart")),
        (Transition.STOP, {}, ("start",)),
        (Transition.START, {"completed_at": None}, ("cancel",)),
        (Transition.STOP, {"completed_at": None, "started_at": None}, ("cancel",)),
        (Transition.DELETE, {"completed_at": None}, ("cancel",)),
        (Transition.START, {"completed_at": None, "canceled_at": NOW}, ()),
        (Transition.START, {"error": "x"}, ("start", "stop")),
        (Transition.START, {"canceled_at": NOW}, ("start", "stop")),
        (Transition.DELETE, {}, ()),
    ],
)
def test_what_can_be_done_follows_from_the_state(
    transition: Transition, job: dict[str, Any], actions: tuple[str, ...]
) -> None:
    assert list_actions(make_workspace(make_build(transition, job=job))) == actions


def test_an_outdated_one_can_be_updated_when_nothing_is_under_way() -> None:
    newer = {"template_active_version_id": "v2"}
    assert list_actions(make_workspace(make_build(Transition.STOP), **newer)) == ("start", "update")
    assert list_actions(make_workspace(make_build(job={"completed_at": None}), **newer)) == ("cancel",)
    assert list_actions(make_workspace(make_build(), deleted=True, **newer)) == ()


def test_who_may_not_change_it_is_offered_nothing() -> None:
    assert (view(ANA).may_change, view(ANA).may_delete) == (True, True)
    assert (view(ROOT).may_change, view(ROOT).may_delete) == (True, True)
    stranger = view(BOB)
    assert (stranger.may_change, stranger.may_delete, stranger.actions) == (False, False, ())


def test_a_build_is_shown_while_it_runs_and_when_it_did_not_succeed() -> None:
    assert view(job={"completed_at": None}).shows_build
    assert view(job={"error": "broken"}).error == "broken"
    assert not view().shows_build


def test_a_terminal_is_offered_where_there_is_an_agent_that_has_one() -> None:
    agents = (
        make_agent(),
        make_agent(id="b", last_connected_at=NOW),
        make_agent(id="c", last_connected_at=NOW, display_apps=()),
    )
    resource = Resource("r", "j", "start", "host", "x", False, "", 0, (), NOW, agents)
    seen = view(resources=(resource,))
    assert [each.terminal for each in seen.agents] == ["", "/@ana/dev.main/terminal", ""]
    assert [each.status for each in seen.agents] == ["connecting", "connected", "connected"]
    assert seen.log_key != view().log_key


@pytest.mark.parametrize(
    ("lifecycle", "health", "open_log"),
    [
        ("starting", "disabled", True),
        ("ready", "disabled", False),
        ("ready", "initializing", True),
        ("ready", "unhealthy", True),
        ("ready", "healthy", False),
    ],
)
def test_an_agents_log_is_open_while_scripts_or_apps_are_awaited(lifecycle: str, health: str, open_log: bool) -> None:
    agent = make_agent(lifecycle_state=lifecycle, apps=(make_app(health=health),))
    resource = Resource("r", "j", "start", "host", "x", False, "", 0, (), NOW, (agent,))
    (seen,) = view(resources=(resource,)).agents
    assert seen.awaits_something is open_log
