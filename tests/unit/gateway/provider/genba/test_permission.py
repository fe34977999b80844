"""Who may use the gateway's machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.genba.permission import find_folder
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.provider.problems import Refused


def make_session(workspace_id: str) -> Session:
    return Session(ProviderContext("job", "http://x", {"CODER_WORKSPACE_ID": workspace_id}))


def refuse(hosts: HostWorkspaces | None, built: str, named: str) -> str:
    with pytest.raises(Refused) as caught:
        find_folder(hosts, make_session(built), named)
    return caught.value.problems[0].summary + caught.value.problems[0].detail


def test_operator_has_to_allow_it() -> None:
    assert "--allow-host-workspaces" in refuse(None, "w", "w")


def test_other_workspace_is_refused(tmp_path: Path) -> None:
    assert "data.coder_workspace.me.id" in refuse(HostWorkspaces(tmp_path, ("a",)), "w", "other")


def test_path_as_an_id_is_refused(tmp_path: Path) -> None:
    assert "no workspace id" in refuse(HostWorkspaces(tmp_path, ("a",)), "../x", "../x")


def test_other_systems_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "need Linux" in refuse(HostWorkspaces(tmp_path, ("a",)), "w", "w")


def test_own_folder_is_below_the_root(tmp_path: Path) -> None:
    _, folder = find_folder(HostWorkspaces(tmp_path, ("a",)), make_session("w"), "w")
    assert folder.path == tmp_path / "w"
