"""The network interfaces of this machine."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SMALL_MTU: Final = 1378
"""Below this, packets of VPNs get cut in pieces on the way; the contract's clients warn from there on."""


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface; `addresses` as `192.168.1.7/24`, or without a length where it is not known."""

    name: str
    mtu: int
    addresses: tuple[str, ...]


def list_interfaces() -> list[Interface]:
    """List what is up and has an address, without the loopback interface."""
    try:
        import psutil
    except ImportError:
        return _list_by_name()
    states, addresses = psutil.net_if_stats(), psutil.net_if_addrs()
    return [
        Interface(
            name,
            states[name].mtu,
            tuple(
                _with_length(address.address, address.netmask)
                for address in addresses.get(name, [])
                if address.family in (socket.AF_INET, socket.AF_INET6)
            ),
        )
        for name in sorted(states)
        if states[name].isup and not _is_loopback(name, [address.address for address in addresses.get(name, [])])
    ]


def _list_by_name() -> list[Interface]:
    """Without psutil: names and sizes only."""
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    return [Interface(name, _read_mtu(name), ()) for name in sorted(names) if not _is_loopback(name, [])]


def _read_mtu(name: str) -> int:
    try:
        return int(Path("/sys/class/net", name, "mtu").read_text())
    except (OSError, ValueError):
        return 1500


def _is_loopback(name: str, addresses: list[str]) -> bool:
    return name in ("lo", "lo0") or any(address.startswith("127.") for address in addresses)


def _with_length(address: str, netmask: str | None) -> str:
    address = address.partition("%")[0]
    if not netmask:
        return address
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        bits = int.from_bytes(socket.inet_pton(family, netmask), "big")
    except OSError:
        return address
    return f"{address}/{bits.bit_count()}"
