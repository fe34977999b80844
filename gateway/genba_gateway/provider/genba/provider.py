"""The `genba/genba` provider: what it consists of."""

from __future__ import annotations

from genba_gateway.provider.genba.home import HostHome
from genba_gateway.provider.genba.host import Host
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.provider.schema import Block, Provider, Schema


def make_genba_provider(hosts: HostWorkspaces | None) -> Provider:
    """Give the provider that templates name as `genba/genba`; without `hosts` it refuses to create."""
    return Provider("genba", Schema(Block()), (Host(hosts), HostHome(hosts)))
