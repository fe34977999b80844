"""Deltas against what was told."""

from __future__ import annotations

from typing import Any

import msgspec

from genba_ide_bridge.lsp.messages import Workspace, WorkspacesChanged
from genba_ide_bridge.lsp.workspace_book import WorkspaceBook, workspace_message
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace


def seen(name: str, **changes: Any) -> Workspace:
    workspace = make_workspace(id=name, name=name, latest_build=make_build(id="b", resources=[]))
    return msgspec.structs.replace(workspace_message(workspace, "http://g"), **changes)


def test_a_workspace_is_shown_with_its_agents_and_reasons() -> None:
    agent = make_agent(expanded_directory="/home/a", status_reason="it is away")
    build = make_build(resources=[make_resource([agent])], status="failed", status_reason="", build_number=7)
    build = msgspec.structs.replace(build, job=msgspec.structs.replace(build.job, error="no such image"))
    workspace = make_workspace(latest_build=build, template_display_name="")
    shown = msgspec.to_builtins(workspace_message(workspace, "http://g"))
    assert shown["statusReason"] == "no such image"
    assert shown["templateDisplayName"] == workspace.template_name
    assert (shown["buildId"], shown["buildNumber"], shown["transition"]) == (build.id, 7, build.transition)
    assert shown["url"] == "http://g/workspaces"
    assert shown["agents"] == [
        {
            "id": agent.id,
            "name": agent.name,
            "status": agent.status,
            "statusReason": "it is away",
            "lifecycle": agent.lifecycle_state,
            "directory": "/home/a",
        }
    ]


def test_a_list_is_told_as_what_differs() -> None:
    book = WorkspaceBook()
    a, b, c = seen("a"), seen("b"), seen("c")
    assert book.apply_list([a, b]) == WorkspacesChanged(added=[a, b], changed=[], removed=[])
    assert book.apply_list([a, b]) is None
    stopped = seen("b", status="stopped")
    assert book.apply_list([c, stopped]) == WorkspacesChanged(added=[c], changed=[stopped], removed=["a"])
    assert book.list_workspaces() == [c, stopped]


def test_a_list_says_nothing_of_workspaces_that_are_watched() -> None:
    book = WorkspaceBook()
    book.apply_list([seen("a")])
    newer = seen("a", status="stopping")
    assert book.apply_one(newer) == WorkspacesChanged(added=[], changed=[newer], removed=[])
    assert book.apply_list([seen("a")], frozenset({"a"})) is None
    assert book.list_workspaces() == [newer]
    assert book.apply_list([seen("a")]) == WorkspacesChanged(added=[], changed=[seen("a")], removed=[])


def test_an_older_list_does_not_bring_back_what_was_deleted() -> None:
    book = WorkspaceBook()
    book.apply_list([seen("a")])
    assert book.apply_one(seen("a", status="deleted")) == WorkspacesChanged(added=[], changed=[], removed=["a"])
    assert book.apply_list([seen("a", status="deleting")]) is None
    assert book.list_workspaces() == []


def test_what_no_list_has_shown_and_what_is_the_same_is_not_told() -> None:
    book = WorkspaceBook()
    assert book.apply_one(seen("a")) is None
    book.apply_list([seen("a")])
    assert book.apply_one(seen("a")) is None
    book.clear()
    assert book.list_workspaces() == []
