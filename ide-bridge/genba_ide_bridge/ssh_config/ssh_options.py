"""Options of ssh, of users and of gateways: checked, and merged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from genba_ide_bridge.errors import BridgeError

_KEYWORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

_OURS: Final = frozenset(
    {
        "host",
        "hostkeyalias",
        "hostname",
        "include",
        "match",
        "proxycommand",
        "proxyjump",
        "stricthostkeychecking",
        "userknownhostsfile",
    }
)
"""Who sets these differently has another block, or other hosts: ours would not lead to a workspace any more."""

_MAY_COME_FROM_A_GATEWAY: Final = frozenset(
    {
        "addressfamily",
        "ciphers",
        "compression",
        "connectionattempts",
        "connecttimeout",
        "ipqos",
        "kexalgorithms",
        "loglevel",
        "macs",
        "rekeylimit",
        "serveralivecountmax",
        "serveraliveinterval",
        "setenv",
        "tcpkeepalive",
        "user",
    }
)
"""What at worst makes a session fail. Others run programs on the user's machine, load libraries, name keys to believe,
open the user's agent, display, ports or sockets to a workspace, or send it the user's environment."""

DEFAULTS: Final[Mapping[str, str]] = {
    "ConnectTimeout": "0",  # the workspace may have to start first
    "LogLevel": "ERROR",
    "ServerAliveInterval": "0",  # the tunnel keeps itself alive, also through an outage that ssh would give up in
}


@dataclass(frozen=True, slots=True)
class SshOption:
    """One line of a block; `value` is written as it is."""

    keyword: str
    value: str


def parse_option(text: str) -> SshOption:
    """Read `Keyword=value` or `Keyword value`.

    Raises:
        BridgeError: it is neither, or an option that is set already.
    """
    match = re.fullmatch(r"\s*([^\s=]+)\s*(?:=|\s)\s*(.*?)\s*", text)
    if not match or not _KEYWORD.fullmatch(match[1]) or not match[2] or _CONTROL.search(match[2]):
        raise BridgeError(f"{text!r} is not an option of ssh.", "It is Keyword=value, like ForwardAgent=yes.")
    if match[1].lower() in _OURS:
        raise BridgeError(
            f"The option {match[1]} is not for --ssh-option: `genba config-ssh` sets it.",
            "Put a block of your own before the Include line.",
        )
    return SshOption(match[1], match[2])


def accept_from_gateway(options: Mapping[str, str]) -> tuple[list[SshOption], list[str]]:
    """Options that a gateway asks for: those that are taken, and the keywords of those that are not."""
    taken: list[SshOption] = []
    refused: list[str] = []
    for keyword, value in sorted(options.items()):
        try:
            option = parse_option(f"{keyword}={value}")
        except BridgeError:
            refused.append(repr(keyword))
            continue
        # Some of these take variables of the user's environment, which is none of a gateway's business.
        if option.keyword.lower() not in _MAY_COME_FROM_A_GATEWAY or "${" in option.value:
            refused.append(keyword)
        else:
            taken.append(option)
    return taken, refused


def merge_options(*layers: Sequence[SshOption]) -> list[SshOption]:
    """Layers from the weakest to the strongest; what one layer says several times (SendEnv) stays together."""
    merged: dict[str, list[SshOption]] = {}
    for layer in layers:
        merged.update({option.keyword.lower(): [] for option in layer})
        for option in layer:
            merged[option.keyword.lower()].append(option)
    return [option for keyword in sorted(merged) for option in merged[keyword]]
