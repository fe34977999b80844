"""Names of hosts that say whose workspace is meant, for OpenSSH to compare with a host certificate.

`genba.dev` means a workspace of whoever types it, so it can't be in a certificate: everybody's `dev` would have it.
Clients let ssh look for `genba.dev._of.alice` instead. Names of users, workspaces and agents have no underscore and no
dot, so it stands for one thing only.
"""

from __future__ import annotations

from typing import Final

OWNER_MARK: Final = "._of."
"""Between a name as it was typed and its owner."""


def name_owner(host: str, owner: str) -> str:
    """The name with its owner, in lower case as OpenSSH compares it."""
    return f"{host}{OWNER_MARK}{owner}".lower()


def split_owner(host: str) -> tuple[str, str]:
    """The name as it was typed, and its owner; empty where it does not say."""
    name, _, owner = host.partition(OWNER_MARK)
    return name, owner
