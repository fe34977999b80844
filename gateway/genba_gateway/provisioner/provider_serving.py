"""What the provisioner needs of the hosted provider, so that tests can do without it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from genba_gateway.provider.context import ProviderContext


class ProviderServing(Protocol):
    """Serves the `coder` provider to one Terraform job."""

    def serve(self, context: ProviderContext, /) -> AbstractAsyncContextManager[Mapping[str, str]]:
        """Listen as long as the context manager is open; it gives the variables that tell Terraform where."""
        ...
