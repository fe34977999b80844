"""Our own file of ssh's configuration: the blocks of `Host`, and in comments what it was made with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.quoting import command_line, file_word
from genba_ide_bridge.ssh_config.ssh_options import DEFAULTS, SshOption, merge_options, parse_option
from genba_wire.ssh_names import name_owner

DEFAULT_PREFIX: Final = "genba."
DEFAULT_SUFFIX: Final = "genba"

_HEAD: Final = """\
# Written by `genba config-ssh`, which writes all of it again whenever it is run.
# `genba config-ssh --remove` deletes it, and the line in your own configuration that includes it.
"""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]*")

_OWNER: Final = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
"""Names of users, as gateways let them be."""


def require_owner(name: str) -> str:
    """A user's name as it is, where it can be one.

    What a gateway says is written into ssh's configuration: a line end or `%` in it would be more than a name, and ssh
    runs what a `Match exec` names.

    Raises:
        BridgeError: it can't be one.
    """
    if _OWNER.fullmatch(name):
        return name
    raise BridgeError(
        f"{name!r} can't be the name of a user, so nothing is told to ssh.",
        "Names have letters, digits and single hyphens; if the gateway says this of you, ask who runs it.",
    )


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What the user chose; it is kept in the file, for --use-previous-options."""

    prefix: str = DEFAULT_PREFIX
    suffix: str = DEFAULT_SUFFIX
    wait: str = "auto"
    disables_autostart: bool = False
    options: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse what would not be a name, or would stand for all hosts.

        Raises:
            BridgeError: says what is wrong.
        """
        if not self.prefix and not self.suffix:
            raise BridgeError("Without a prefix and a suffix no host would be one of Genba's.")
        for flag, text in (("--ssh-host-prefix", self.prefix), ("--hostname-suffix", self.suffix)):
            if not _NAME.fullmatch(text):
                raise BridgeError(f"{flag} has letters, digits, dots and hyphens only, unlike {text!r}.")

    @property
    def patterns(self) -> list[str]:
        """Patterns of the host names, for ssh."""
        return [*([f"{self.prefix}*"] if self.prefix else []), *([f"*.{self.suffix}"] if self.suffix else [])]

    @property
    def certified_patterns(self) -> list[str]:
        """Patterns of the names that ssh looks for in host certificates."""
        return [*self.patterns, *([name_owner(f"*.{self.suffix}", "*")] if self.suffix else [])]

    @property
    def ownerless(self) -> list[tuple[str, ...]]:
        """Patterns of names that say nothing about whose workspace is meant, and behind `!` of those that do."""
        prefix, suffix = self.prefix, self.suffix
        forms = (
            (prefix, (f"{prefix}*", f"!{prefix}*--*")),
            (suffix, (f"*.{suffix}", f"!*--*.{suffix}", f"!*.*.*.{suffix}")),
        )
        return [patterns for name, patterns in forms if name]


@dataclass(frozen=True, slots=True)
class Traces:
    """What was made in the user's folder, to be taken away again."""

    config: str = ""
    made_file: bool = False
    made_folder: bool = False


@dataclass(frozen=True, slots=True)
class HostBlocks:
    """All that the file is made of.

    `owner` is whose workspaces are meant by names that don't say it. `program` are the words that start `genba`, with
    its global flags; empty for no `ProxyCommand`.

    Raises:
        BridgeError: the owner can't be one.
    """

    settings: HostSettings
    owner: str
    program: Sequence[str]
    known_hosts: PurePath
    gateway_options: Sequence[SshOption] = ()
    is_windows: bool = field(default=os.name == "nt")

    def __post_init__(self) -> None:
        require_owner(self.owner)

    def proxy_commands(self) -> list[tuple[str, str]]:
        """Pattern of hosts and `ProxyCommand` of each block."""
        settings = self.settings
        forms = (
            (f"{settings.prefix}*", "--ssh-host-prefix", settings.prefix),
            (f"*.{settings.suffix}", "--hostname-suffix", settings.suffix),
        )
        return [(pattern, self._proxy_command(flag, name)) for pattern, flag, name in forms if name]

    def host_name(self, host: str) -> str:
        """What ssh makes of a name that says nothing about whose workspace is meant."""
        return name_owner(host, self.owner)

    def _proxy_command(self, flag: str, name: str) -> str:
        if not self.program:
            return ""
        words = [*self.program, "ssh", "--stdio"]
        if self.settings.disables_autostart:
            words.append("--disable-autostart")
        if self.settings.wait != "auto":
            words += ["--wait", self.settings.wait]
        return command_line([*words, flag, name], is_windows=self.is_windows) + " %h"

    def render(self, traces: Traces) -> bytes:
        """The bytes of the file."""
        # ssh looks for the HostName in the certificate, so that another user's workspace of that name is none of them.
        blocks = "".join(
            f"\nHost {' '.join(patterns)}\n  HostName {self.host_name('%h')}\n" for patterns in self.settings.ownerless
        )
        blocks += "".join(
            "\n" + "\n  ".join([f"Host {pattern}", *self._lines(command)]) + "\n"
            for pattern, command in self.proxy_commands()
        )
        remembered = "".join(f"# :{key}={value}\n" for key, value in _remember(self.settings, traces))
        return os.fsencode(_HEAD + remembered + blocks)

    def _lines(self, proxy_command: str) -> Iterator[str]:
        if proxy_command:
            yield f"ProxyCommand {proxy_command}"
        yield f"UserKnownHostsFile {file_word(self.known_hosts)}"
        yield "StrictHostKeyChecking yes"
        own = [SshOption(keyword, value) for keyword, value in DEFAULTS.items()]
        of_user = [parse_option(text) for text in self.settings.options]
        for option in merge_options(own, self.gateway_options, of_user):
            yield f"{option.keyword} {option.value}"


def _remember(settings: HostSettings, traces: Traces) -> Iterator[tuple[str, str]]:
    yield "ssh-config-file", traces.config
    if traces.made_file:
        yield "made", "file"
    if traces.made_folder:
        yield "made", "folder"
    yield "ssh-host-prefix", settings.prefix
    yield "hostname-suffix", settings.suffix
    if settings.wait != "auto":
        yield "wait", settings.wait
    if settings.disables_autostart:
        yield "disable-autostart", "true"
    for text in settings.options:
        yield "ssh-option", text


def read_remembered(content: bytes | None) -> tuple[HostSettings, Traces]:
    """What the file was made with; defaults where it does not say."""
    pairs = re.findall(r"^# :([a-z-]+)=(.*?)\r?$", os.fsdecode(content or b""), re.MULTILINE)
    last = dict(pairs)
    settings = HostSettings(
        prefix=last.get("ssh-host-prefix", DEFAULT_PREFIX),
        suffix=last.get("hostname-suffix", DEFAULT_SUFFIX),
        wait=last.get("wait", "auto"),
        disables_autostart="disable-autostart" in last,
        options=tuple(value for key, value in pairs if key == "ssh-option"),
    )
    made = {value for key, value in pairs if key == "made"}
    return settings, Traces(last.get("ssh-config-file", ""), "file" in made, "folder" in made)


def own_file(folder: Path) -> Path:
    """Where the file lies."""
    return folder / "ssh_config"
