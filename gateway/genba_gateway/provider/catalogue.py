"""The providers that the gateway serves, with the addresses that templates know them by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from genba_gateway.provider.coder.provider import make_coder_provider
from genba_gateway.provider.context import Session
from genba_gateway.provider.genba.provider import make_genba_provider
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.provider.schema import Provider
from genba_gateway.provider.server import Servicer, encode_schemas

# The last of coder/coder's is what Terraform assumes of a template that has no required_providers block.
CODER_ADDRESSES = (
    "registry.terraform.io/coder/coder",
    "registry.opentofu.org/coder/coder",
    "registry.terraform.io/hashicorp/coder",
    "registry.opentofu.org/hashicorp/coder",
)
GENBA_ADDRESSES = (
    "registry.terraform.io/genba/genba",
    "registry.opentofu.org/genba/genba",
    "registry.terraform.io/hashicorp/genba",
    "registry.opentofu.org/hashicorp/genba",
)


@dataclass(frozen=True, slots=True)
class ServedProvider:
    """A provider, its addresses, and its schemas as they are sent."""

    provider: Provider
    addresses: tuple[str, ...]
    schemas: bytes

    def make_servicer(self, session: Session) -> Servicer:
        """Give what answers Terraform's calls for one build."""
        return Servicer(self.provider, self.schemas, session)


@cache
def list_providers(hosts: HostWorkspaces | None) -> list[ServedProvider]:
    """Give all providers; made once, since schemas don't change."""
    made = ((make_coder_provider(), CODER_ADDRESSES), (make_genba_provider(hosts), GENBA_ADDRESSES))
    return [ServedProvider(each, addresses, encode_schemas(each)) for each, addresses in made]
