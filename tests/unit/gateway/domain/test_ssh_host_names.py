"""Which names a certificate lists. How OpenSSH compares them: tests/integration/test_ssh_host_certificates.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.ssh_host_names import SshHostNames

NAMES = SshHostNames(prefix="Work-", suffix="ssh.example.com", gateway_host="Genba.example.com")


def has_name(name: str, *, owner: str = "alice", workspace: str = "dev", agent: str = "main") -> bool:
    return name in NAMES.list_names(owner=owner, workspace=workspace, agent=agent)


@pytest.mark.parametrize("prefix", ["genba.", "coder.", "work-"])
@pytest.mark.parametrize("name", ["dev._of.alice", "dev.main._of.alice", "alice--dev", "alice--dev.main"])
def test_every_name_behind_a_prefix_is_there(prefix: str, name: str) -> None:
    assert has_name(f"{prefix}{name}")


@pytest.mark.parametrize("suffix", [".genba", ".coder", ".ssh.example.com"])
def test_every_name_before_a_suffix_is_there(suffix: str) -> None:
    for name in (f"dev{suffix}._of.alice", f"main.dev{suffix}._of.alice", f"main.dev.alice{suffix}"):
        assert has_name(name)


@pytest.mark.parametrize("name", ["alice--dev", "alice--dev.main"])
def test_editors_names_are_there_with_the_gateways_host(name: str) -> None:
    assert has_name(f"coder-vscode.genba.example.com--{name}")


@pytest.mark.parametrize("gateway_host", ["127.0.0.1", "localhost"])
def test_a_gateway_on_loopback_has_both_names_of_it(gateway_host: str) -> None:
    names = SshHostNames(gateway_host=gateway_host).list_names(owner="alice", workspace="dev", agent="main")

    assert "coder-vscode.127.0.0.1--alice--dev.main" in names
    assert "coder-vscode.localhost--alice--dev.main" in names


@pytest.mark.parametrize(
    "name",
    [
        "genba.dev",
        "genba.dev.main",
        "dev.genba",
        "main.dev.genba",
        "dev.alice.genba",
        "genba.dev2._of.alice",
        "genba.dev._of.bob",
        "genba.dev.other._of.alice",
        "main.dev.genba._of.bob",
        "genba.other.dev",
        "genba.bob--dev",
        "genba.bob--dev.main",
        "genba.alice--dev2",
        "genba.alice--dev.other",
        "coder-vscode.genba.example.com--bob--dev.main",
        "coder-vscode.genba.example.com--dev.main",
        "main.dev.bob.genba",
        "other.dev.alice.genba",
        "dev.bob.genba",
        "main.dev2.genba",
        "mine.dev",
        "dev",
    ],
)
def test_no_other_name_is_there(name: str) -> None:
    assert not has_name(name)


def test_names_are_in_lower_case_as_openssh_asks_for_them() -> None:
    assert has_name("genba.alice--dev.main", owner="Alice", workspace="Dev", agent="MAIN")


NAME = st.from_regex(r"[a-c]{1,2}(-[a-c])?", fullmatch=True) | st.sampled_from(["genba", "coder", "me", "of"])


@given(st.lists(st.tuples(NAME, NAME, NAME), min_size=2, max_size=2, unique=True))
def test_two_agents_have_a_name_in_common_only_in_the_same_workspace_of_the_same_user(
    two: list[tuple[str, str, str]],
) -> None:
    (owner, workspace, agent), other = two
    ours = NAMES.list_names(owner=owner, workspace=workspace, agent=agent)
    theirs = NAMES.list_names(owner=other[0], workspace=other[1], agent=other[2])
    if set(ours) & set(theirs):
        assert owner == other[0]
        # `genba.coder` begins and ends as names of hosts do: it is both the workspace genba and the workspace coder.
        assert workspace == other[1] or {workspace, other[1]} <= {"genba", "coder"}


def test_no_name_is_there_twice_and_openssh_takes_their_number() -> None:
    names = SshHostNames().list_names(owner="alice", workspace="dev", agent="main")

    assert len(names) == len(set(names))
    assert len(names) <= 256
