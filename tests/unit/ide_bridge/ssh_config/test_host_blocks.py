"""Our own file, and what it remembers."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.host_blocks import HostBlocks, HostSettings, Traces, read_remembered
from genba_ide_bridge.ssh_config.ssh_options import SshOption

KNOWN_HOSTS = PurePosixPath("/home/al/known_hosts")
PROGRAM = ["/usr/bin/genba", "--global-config", "/home/al/.config/genba"]


def test_the_file_has_a_block_for_each_form_of_names() -> None:
    blocks = HostBlocks(HostSettings(), "Al", PROGRAM, KNOWN_HOSTS, [SshOption("SetEnv", "A=b")])
    assert blocks.render(Traces("/home/al/.ssh/config", made_file=True)).decode() == (
        """\
# Written by `genba config-ssh`, which writes all of it again whenever it is run.
# `genba config-ssh --remove` deletes it, and the line in your own configuration that includes it.
# :ssh-config-file=/home/al/.ssh/config
# :made=file
# :ssh-host-prefix=genba.
# :hostname-suffix=genba

Host genba.* !genba.*--*
  HostName %h._of.al

Host *.genba !*--*.genba !*.*.*.genba
  HostName %h._of.al

Host genba.*
  ProxyCommand /usr/bin/genba --global-config /home/al/.config/genba ssh --stdio --ssh-host-prefix genba. %h
  UserKnownHostsFile /home/al/known_hosts
  StrictHostKeyChecking yes
  ConnectTimeout 0
  LogLevel ERROR
  ServerAliveInterval 0
  SetEnv A=b

Host *.genba
  ProxyCommand /usr/bin/genba --global-config /home/al/.config/genba ssh --stdio --hostname-suffix genba %h
  UserKnownHostsFile /home/al/known_hosts
  StrictHostKeyChecking yes
  ConnectTimeout 0
  LogLevel ERROR
  ServerAliveInterval 0
  SetEnv A=b
"""
    )


def test_what_was_chosen_is_in_the_command_and_above_the_gateways_options() -> None:
    settings = HostSettings(
        prefix="", suffix="work", wait="yes", disables_autostart=True, options=("LogLevel=DEBUG", "SetEnv C=d")
    )
    text = HostBlocks(settings, "al", PROGRAM, KNOWN_HOSTS, [SshOption("SetEnv", "A=b")]).render(Traces()).decode()
    assert "Host *.work\n" in text
    assert "Host \n" not in text
    assert "ssh --stdio --disable-autostart --wait yes --hostname-suffix work %h\n" in text
    assert "  LogLevel DEBUG\n" in text
    assert "  SetEnv C=d\n" in text
    assert "A=b" not in text


def test_without_a_program_there_is_no_command() -> None:
    assert b"ProxyCommand" not in HostBlocks(HostSettings(), "al", [], KNOWN_HOSTS).render(Traces())


@given(
    prefix=st.sampled_from(["", "genba.", "x-"]),
    wait=st.sampled_from(["yes", "no", "auto"]),
    disables=st.booleans(),
    options=st.lists(st.sampled_from(["ForwardAgent=yes", "SendEnv A B", "SetEnv=X=y #z"]), max_size=3),
    traces=st.builds(Traces, st.just("/home/a b/ü"), st.booleans(), st.booleans()),
)
def test_the_file_remembers_what_it_was_made_with(
    prefix: str, wait: str, disables: bool, options: list[str], traces: Traces
) -> None:
    settings = HostSettings(prefix, "genba", wait, disables, tuple(options))
    assert read_remembered(HostBlocks(settings, "al", PROGRAM, KNOWN_HOSTS).render(traces)) == (settings, traces)


@given(st.binary(max_size=300))
def test_any_file_can_be_asked(content: bytes) -> None:
    read_remembered(content)


@pytest.mark.parametrize(
    "settings",
    [
        HostSettings(prefix="", suffix=""),
        HostSettings(prefix="a b"),
        HostSettings(prefix="*"),
        HostSettings(suffix="?"),
    ],
)
def test_what_would_stand_for_other_hosts_is_refused(settings: HostSettings) -> None:
    with pytest.raises(BridgeError):
        settings.check()


@pytest.mark.parametrize("name", ["al", "Al-2", "7"])
def test_a_users_name_is_an_owner(name: str) -> None:
    assert HostBlocks(HostSettings(), name, PROGRAM, KNOWN_HOSTS).owner == name


@pytest.mark.parametrize(
    "name", ["", "-al", "al-", "a--b", "a.b", "a_b", "a b", "%d", "${HOME}", "al\n", "äl", 'al\nmatch exec "true"']
)
def test_what_is_no_users_name_is_never_written(name: str) -> None:
    with pytest.raises(BridgeError, match="can't be the name of a user"):
        HostBlocks(HostSettings(), name, PROGRAM, KNOWN_HOSTS)
