"""The flags that commands about sessions share mean the same everywhere, from the same variables."""

from __future__ import annotations

from datetime import timedelta

import click
import pytest

from genba_ide_bridge.cli.commands.config_ssh import config_ssh
from genba_ide_bridge.cli.commands.port_forward import port_forward
from genba_ide_bridge.cli.commands.ssh import ssh
from genba_ide_bridge.cli.commands.vscodessh import vscodessh
from genba_ide_bridge.cli.durations import Duration
from genba_ide_bridge.cli.session_options import MIN_NETWORK_INFO_INTERVAL, MIN_POLL_INTERVAL

COMMANDS = [ssh, vscodessh, port_forward, config_ssh]


def option(command: click.Command, name: str) -> click.Option | None:
    found = [each for each in command.params if isinstance(each, click.Option) and name in each.opts]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("name", "variable", "default"),
    [
        ("--wait", "SSH_WAIT", "auto"),
        ("--disable-autostart", "SSH_DISABLE_AUTOSTART", False),
        ("--log-dir", "SSH_LOG_DIR", None),
        ("--network-info-dir", "", None),
        ("--network-info-interval", "", timedelta(seconds=5)),
        ("--ssh-host-prefix", "SSH_SSH_HOST_PREFIX", ""),
        ("--hostname-suffix", "SSH_HOSTNAME_SUFFIX", ""),
        ("--workspace-poll-interval", "WORKSPACE_POLL_INTERVAL", timedelta(minutes=1)),
    ],
)
def test_a_flag_is_the_same_in_every_command_that_has_it(name: str, variable: str, default: object) -> None:
    having = [(command, found) for command in COMMANDS if (found := option(command, name)) is not None]
    assert having
    for command, found in having:
        writes_down = command is config_ssh
        wanted = variable.replace("SSH_", "CONFIGSSH_", 1) if writes_down else variable
        assert found.envvar == ([f"GENBA_{wanted}", f"CODER_{wanted}"] if wanted else None)
        given = found.to_info_dict()["default"] or None
        value = found.type.convert(given, found, None) if given else None
        assert value == (None if writes_down else default or None)


@pytest.mark.parametrize(
    ("name", "least"),
    [("--network-info-interval", MIN_NETWORK_INFO_INTERVAL), ("--workspace-poll-interval", MIN_POLL_INTERVAL)],
)
def test_what_would_keep_disk_or_gateway_busy_is_refused(name: str, least: timedelta) -> None:
    found = option(ssh, name)
    assert found is not None
    assert isinstance(found.type, Duration)
    milliseconds = least // timedelta(milliseconds=1)
    assert found.type.convert(f"{milliseconds}ms", found, None) == least
    with pytest.raises(click.BadParameter, match="is less than"):
        found.type.convert(f"{milliseconds - 1}ms", found, None)
