"""Names of hosts, as ssh and editors hand them on."""

from __future__ import annotations

import click
import pytest

from genba_ide_bridge.cli.ssh_hosts import parse_ssh_host, parse_vscode_host
from genba_ide_bridge.cli.targets import WorkspaceTarget


@pytest.mark.parametrize(
    ("host", "owner", "workspace", "agent"),
    [
        ("dev", "me", "dev", ""),
        ("dev.main", "me", "dev", "main"),
        ("ann/dev", "ann", "dev", ""),
        ("ann/dev.main", "ann", "dev", "main"),
        ("ann--dev", "ann", "dev", ""),
        ("ann--dev.main", "ann", "dev", "main"),
        ("genba.dev", "me", "dev", ""),
        ("genba.dev.main", "me", "dev", "main"),
        ("genba.ann--dev.main", "ann", "dev", "main"),
        ("genba.dev.main._of.ann", "ann", "dev", "main"),
        ("dev.genba", "me", "dev", ""),
        ("main.dev.genba", "me", "dev", "main"),
        ("main.dev.genba._of.ann", "ann", "dev", "main"),
        ("main.dev.ann.genba", "ann", "dev", "main"),
        ("ann--dev.main.genba", "ann", "dev", "main"),
    ],
)
def test_a_host_names_owner_workspace_and_agent(host: str, owner: str, workspace: str, agent: str) -> None:
    assert parse_ssh_host(host, prefix="genba.", suffix="genba") == WorkspaceTarget(owner, workspace, agent)


def test_an_editors_prefix_has_dashes_of_its_own() -> None:
    host, prefix = "coder-vscode.dev.example--ann--web.main", "coder-vscode.dev.example--"
    assert parse_ssh_host(host, prefix=prefix) == WorkspaceTarget("ann", "web", "main")


@pytest.mark.parametrize("suffix", ["genba", ".genba"])
def test_two_parts_before_a_suffix_are_an_agent_and_an_own_workspace(suffix: str) -> None:
    assert parse_ssh_host("a.b.genba", suffix=suffix) == WorkspaceTarget("me", "b", "a")


@pytest.mark.parametrize(
    "host", ["genba.ann--dev.main", "Genba.ann--dev.main", "main.dev.ann.work", "main.dev.ann.Work"]
)
def test_capitals_in_a_prefix_or_suffix_are_none_in_what_openssh_hands_on(host: str) -> None:
    assert parse_ssh_host(host, prefix="Genba.", suffix="WORK") == WorkspaceTarget("ann", "dev", "main")


def test_two_owners_are_refused() -> None:
    with pytest.raises(click.BadArgumentUsage, match="names two owners"):
        parse_ssh_host("genba.ann--dev._of.ben", prefix="genba.")


@pytest.mark.parametrize("host", ["", "genba.", ".genba", "a..genba", "a.b.c.d.genba", "a/b/c", "dev."])
def test_what_names_no_workspace_is_refused(host: str) -> None:
    with pytest.raises(click.BadArgumentUsage, match="does not name a workspace"):
        parse_ssh_host(host, prefix="genba.", suffix="genba")


@pytest.mark.parametrize(
    ("host", "agent"),
    [
        ("coder-vscode--ann--dev", ""),
        ("coder-vscode--ann--dev--main", "main"),
        ("coder-vscode.gateway.example--ann--dev", ""),
        ("coder-vscode.gateway.example--ann--dev.main", "main"),
        ("coder-vscode.xn--bcher-kva.example--ann--dev.main", "main"),
        ("coder-vscode.xn--bcher-kva.example--ann--dev--main", "main"),
    ],
)
def test_a_host_of_older_editors_is_read(host: str, agent: str) -> None:
    assert parse_vscode_host(host) == WorkspaceTarget("ann", "dev", agent)


@pytest.mark.parametrize(
    "host",
    ["dev", "coder-vscode--ann", "coder-vscode--ann--dev--x--y", "coder-vscode----dev", "coder-vscode--a--b.c--d"],
)
def test_other_hosts_of_editors_are_refused(host: str) -> None:
    with pytest.raises(click.BadArgumentUsage, match=r"does not name a workspace|names two agents"):
        parse_vscode_host(host)
