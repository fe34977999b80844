"""Which names a certificate lists. How OpenSSH compares them: tests/integration/test_ssh_host_certificates.py."""

from __future__ import annotations

import pytest

from genba_gateway.domain.ssh_host_names import SshHostNames

NAMES = SshHostNames(prefix="Work-", suffix="ssh.example.com", gateway_host="Genba.example.com")


def has_name(name: str, *, owner: str = "alice", workspace: str = "dev", agent: str = "main") -> bool:
    return name in NAMES.list_names(owner=owner, workspace=workspace, agent=agent)


@pytest.mark.parametrize("prefix", ["genba.", "coder.", "work-"])
@pytest.mark.parametrize("name", ["dev", "dev.main", "alice--dev", "alice--dev.main"])
def test_every_name_behind_a_prefix_is_there(prefix: str, name: str) -> None:
    assert has_name(f"{prefix}{name}")


@pytest.mark.parametrize("name", ["dev", "main.dev", "dev.alice", "main.dev.alice"])
@pytest.mark.parametrize("suffix", [".genba", ".coder", ".ssh.example.com"])
def test_every_name_before_a_suffix_is_there(name: str, suffix: str) -> None:
    assert has_name(f"{name}{suffix}")


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
        "genba.dev2",
        "genba.dev.other",
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


def test_a_workspace_named_like_a_user_makes_two_names_one_which_the_docs_say() -> None:
    assert has_name("dev.bob.genba", owner="alice", workspace="bob", agent="dev")
    assert has_name("dev.bob.genba", owner="bob", workspace="dev")


def test_no_name_is_there_twice_and_openssh_takes_their_number() -> None:
    names = SshHostNames().list_names(owner="alice", workspace="dev", agent="main")

    assert len(names) == len(set(names))
    assert len(names) <= 256
