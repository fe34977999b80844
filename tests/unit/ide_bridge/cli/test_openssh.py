"""How the user's OpenSSH is called, as OpenSSH itself understands it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from genba_ide_bridge.cli.openssh import SshCall, certified_name, find_ssh, host_of, ssh_arguments
from genba_ide_bridge.cli.targets import parse_target
from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.ssh_options import SshOption


def arguments(call: SshCall, known_hosts: Path = Path("/home/a b/known_hosts")) -> list[str]:
    return ssh_arguments(call, known_hosts, ["/opt/my tools/genba"], is_windows=False)


def understood(call: SshCall) -> dict[str, list[str]]:
    """What `ssh -G` makes of it; keywords that come several times have several values."""
    done = subprocess.run(
        [find_ssh(), "-F", "none", "-G", *arguments(call)], capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword, []).append(value)
    return found


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("dev", "genba.dev"),
        ("dev.main", "genba.dev.main"),
        ("ann/dev", "genba.ann--dev"),
        ("ann/dev.main", "genba.ann--dev.main"),
    ],
)
def test_a_workspace_is_called_as_its_user_named_it(target: str, host: str) -> None:
    assert host_of(parse_target(target)) == host


@pytest.mark.parametrize(
    ("target", "name"),
    [("dev", "genba.ann--dev"), ("dev.main", "genba.ann--dev.main"), ("Ann/Dev.Main", "genba.ann--dev.main")],
)
def test_the_name_that_is_looked_for_in_the_certificate_has_the_owner(target: str, name: str) -> None:
    call = SshCall(parse_target(target), "Ann")
    assert certified_name(call) == name
    assert understood(call)["hostkeyalias"] == [name]


def test_host_keys_are_checked_and_the_bytes_go_through_this_program() -> None:
    found = understood(SshCall(parse_target("ann/dev"), "ann", proxy_flags=["--wait=no", "--log-dir=/tmp/100% mine"]))
    assert found["hostname"] == ["genba.ann--dev"]
    assert found["stricthostkeychecking"] == ["true"]
    assert found["userknownhostsfile"] == ["/home/a b/known_hosts"]
    assert found["serveraliveinterval"] == ["0"]
    assert found["proxycommand"] == [
        '"/opt/my tools/genba" ssh --stdio --wait=no "--log-dir=/tmp/100%% mine" --ssh-host-prefix genba. %h'
    ]


def test_flags_are_those_of_ssh() -> None:
    call = SshCall(
        parse_target("dev"),
        "me-too",
        forwards_agent=True,
        identity_agent="/run/a b/agent",
        remote_forwards=["8080:localhost:80", "/run/x.sock:/run/y.sock"],
        environment=["A=1", 'B=two "words"', "C=back\\slash"],
    )
    found = understood(call)
    assert found["forwardagent"] == ["yes"]
    assert found["identityagent"] == ["/run/a b/agent"]
    assert len(found["remoteforward"]) == 2
    assert found["setenv"] == ["A=1", 'B=two "words"', "C=back\\slash"]


def test_a_gateways_options_win_over_ours_and_not_over_what_keeps_people_safe() -> None:
    call = SshCall(
        parse_target("dev"),
        "me-too",
        gateway_options=[SshOption("ServerAliveInterval", "30"), SshOption("StrictHostKeyChecking", "no")],
    )
    found = understood(call)
    assert found["serveraliveinterval"] == ["30"]
    assert found["stricthostkeychecking"] == ["true"]


def test_a_command_and_its_flags_are_the_workspaces() -> None:
    words = arguments(SshCall(parse_target("dev"), "me-too", ["ls", "-la"]))
    assert words[words.index("--") :] == ["--", "genba.dev", "ls", "-la"]


def test_a_machine_without_openssh_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BridgeError, match="not on your PATH") as caught:
        find_ssh()
    assert "openssh-client" in caught.value.hint
