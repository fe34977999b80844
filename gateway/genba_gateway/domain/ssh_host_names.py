"""Names by which users' OpenSSH knows workspaces: the principals of a host certificate.

Each says whose workspace it is, or one user's host key would pass for another's of the same name:

* `<prefix>owner--workspace[.agent]`, where editors' prefix is `coder-vscode.<host of the gateway>--`
* `agent.workspace.owner.<suffix>`
* what was typed without an owner, and the owner (`genba_wire.ssh_names`): `<prefix>workspace[.agent]._of.owner`,
  `[agent.]workspace.<suffix>._of.owner`

They are listed one by one: OpenSSH compares the principals of a host certificate with the name that it looks for, in
lower case, as they are (9.2 was tried: `*` matches nothing). So the prefixes and suffixes have to be known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from genba_wire.ssh_names import name_owner

DEFAULT_PREFIX: Final = "coder."
"""What clients are told to write before a workspace's name (contract 3.6)."""

DEFAULT_SUFFIX: Final = "genba"
"""What they are told to write behind it, without the dot."""

_KNOWN_PREFIXES: Final = ("coder.", "genba.")
_KNOWN_SUFFIXES: Final = ("coder", "genba")
"""Those that Coder's clients and ours take without being told."""

_EDITORS: Final = "coder-vscode."
_LOOPBACK: Final = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class SshHostNames:
    """How host names are made in this deployment.

    Args:
        prefix, suffix: those of the operator's choice.
        gateway_host: the host in the URL that clients call, which editors put into names.
    """

    prefix: str = DEFAULT_PREFIX
    suffix: str = DEFAULT_SUFFIX
    gateway_host: str = "127.0.0.1"

    def list_names(self, *, owner: str, workspace: str, agent: str) -> list[str]:
        """Every name of this agent of this workspace."""
        names = self._make_names(owner.lower(), workspace.lower(), agent.lower())
        return list(dict.fromkeys(names))

    def _make_names(self, owner: str, workspace: str, agent: str) -> Iterator[str]:
        for prefix in (*_KNOWN_PREFIXES, self.prefix.lower(), *self._prefixes_of_editors()):
            yield f"{prefix}{owner}--{workspace}"
            yield f"{prefix}{owner}--{workspace}.{agent}"
        for prefix in (*_KNOWN_PREFIXES, self.prefix.lower()):
            yield name_owner(f"{prefix}{workspace}", owner)
            yield name_owner(f"{prefix}{workspace}.{agent}", owner)
        for suffix in (*_KNOWN_SUFFIXES, self.suffix.lower()):
            yield f"{agent}.{workspace}.{owner}.{suffix}"
            yield name_owner(f"{workspace}.{suffix}", owner)
            yield name_owner(f"{agent}.{workspace}.{suffix}", owner)

    def _prefixes_of_editors(self) -> Iterator[str]:
        host = self.gateway_host.lower()
        for each in _LOOPBACK if host in _LOOPBACK else (host,):
            yield f"{_EDITORS}{each}--"
