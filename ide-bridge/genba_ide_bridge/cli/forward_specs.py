"""What `genba port-forward` is told: ports, ranges and lists of them, bind addresses, unix sockets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import click

MAX_PORT: Final = 65_535

LOOPBACK: Final = ("127.0.0.1", "::1")
"""Where a forward listens that names no address: `localhost` is either of them."""

_RANGE: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class LocalPort:
    """Where to listen; several addresses are one forward."""

    hosts: tuple[str, ...]
    port: int

    def __str__(self) -> str:
        host = self.hosts[0]
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A unix socket to listen on."""

    path: str

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class PortForward:
    """A local port for a port of the workspace."""

    local: LocalPort
    remote_port: int


@dataclass(frozen=True, slots=True)
class SocketForward:
    """A local socket or port for a unix socket of the workspace."""

    local: LocalPort | LocalPath
    remote_path: str


def parse_ports(text: str) -> list[PortForward]:
    """Read `[ADDRESS:]LOCAL[:REMOTE]`, or several with commas; LOCAL and REMOTE are ports or ranges of as many.

    Raises:
        click.BadParameter: says what is wrong with which part.
    """
    return [forward for item in text.split(",") for forward in _parse_item(item.strip())]


def parse_socket(text: str) -> SocketForward:
    """Read `LOCAL:REMOTE`: REMOTE is a path in the workspace, LOCAL a path here or `[ADDRESS:]PORT`.

    Raises:
        click.BadParameter: it is not of that form.
    """
    local, separator, remote = text.rpartition(":")
    if not separator or not local or not remote:
        raise click.BadParameter(f'"{text}" is not LOCAL:REMOTE, as in ./docker.sock:/var/run/docker.sock.')
    address, rest = _split_address(local)
    if not _RANGE.fullmatch(rest):
        return SocketForward(LocalPath(local), remote)
    if "-" in rest:
        raise click.BadParameter(f'"{text}": a unix socket has one local port.')
    return SocketForward(LocalPort(address, _read_port(rest, text)), remote)


def _parse_item(item: str) -> list[PortForward]:
    hosts, rest = _split_address(item)
    local_text, separator, remote_text = rest.partition(":")
    local = _read_range(local_text, item)
    remote = _read_range(remote_text, item) if separator else local
    if len(local) != len(remote):
        raise click.BadParameter(f'"{item}" has {len(local)} local ports, and {len(remote)} in the workspace.')
    return [PortForward(LocalPort(hosts, here), there) for here, there in zip(local, remote, strict=True)]


def _split_address(text: str) -> tuple[tuple[str, ...], str]:
    """Split off the address in front of ports."""
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]:")
        if not bracket:
            raise click.BadParameter(f'"{text}": an IPv6 address stands in brackets, a colon and a port follow.')
        return (address,), rest
    first, separator, rest = text.partition(":")
    if not separator or _RANGE.fullmatch(first):
        return LOOPBACK, text
    if first == "localhost":
        return LOOPBACK, rest
    return (first or "0.0.0.0",), rest


def _read_range(text: str, item: str) -> range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise click.BadParameter(f'"{item}": "{text}" is neither a port nor a range of ports such as 8000-8010.')
    first = _read_port(match[1], item)
    last = _read_port(match[2] or match[1], item)
    if last < first:
        raise click.BadParameter(f'"{item}": the range {text} ends before it begins.')
    return range(first, last + 1)


def _read_port(text: str, item: str) -> int:
    port = int(text)
    if not 1 <= port <= MAX_PORT:
        raise click.BadParameter(f'"{item}": ports are from 1 to {MAX_PORT}.')
    return port
