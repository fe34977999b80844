"""The providers of a build: `coder/coder` and `genba/genba`, on sockets that Terraform is told to use.

Terraform takes the addresses from TF_REATTACH_PROVIDERS and then neither downloads, verifies nor starts a provider.
There is no authentication on the sockets: the folder they lie in is the gateway's alone (0700).
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import stat
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from genba_gateway.errors import ConfigError
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.genba.leftovers import clear_workspace
from genba_gateway.provider.host_workspaces import HostWorkspaces

if TYPE_CHECKING:
    from genba_gateway.provider.catalogue import ServedProvider

__all__ = ["ProviderContext", "ProviderHost"]

# Linux's sockaddr_un holds 108 bytes, the last of them zero.
MAX_SOCKET_PATH_BYTES = 107
SOCKET_NAME_BYTES = len("/0123456789ab.sock")
PROTOCOL_VERSION = 6


class ProviderHost:
    """Serves the providers, a pair of sockets per build."""

    def __init__(self, runtime_dir: Path, hosts: HostWorkspaces | None) -> None:
        """Serve from `runtime_dir`, which is made if it isn't there.

        Without `hosts` the gateway doesn't allow workspaces on its own machine.

        Raises:
            ConfigError: the folder's path is too long for a socket, or others may enter the folder.
        """
        self._runtime_dir = runtime_dir.absolute()
        self._hosts = hosts
        _prepare_folder(self._runtime_dir)

    def serve(self, context: ProviderContext) -> AbstractAsyncContextManager[Mapping[str, str]]:
        """Serve one build; gives the variables that Terraform has to get in its environment.

        The sockets exist as long as the context manager does: hold it over all commands of the build.
        """
        return self._serve(context)

    async def clear_workspace(self, workspace_id: str) -> None:
        """End what still runs of a deleted host workspace and remove its files.

        A build that was killed may have made something that its state doesn't know, and that deleting by
        Terraform therefore leaves behind. Does nothing when nothing is there.

        Raises:
            OSError: a file can't be removed; the message names it.
        """
        if self._hosts is not None:
            await clear_workspace(self._hosts.root, workspace_id)

    @asynccontextmanager
    async def _serve(self, context: ProviderContext) -> AsyncGenerator[Mapping[str, str]]:
        endpoint, catalogue = await asyncio.to_thread(_import_servers)
        served: list[ServedProvider] = catalogue.list_providers(self._hosts)
        reattach: dict[str, object] = {}
        async with AsyncExitStack() as stack:
            for each in served:
                socket = self._runtime_dir / f"{secrets.token_hex(6)}.sock"
                servicer = each.make_servicer(Session(context))
                await stack.enter_async_context(endpoint.listen(servicer, socket))
                entry = _describe_socket(socket)
                reattach.update(dict.fromkeys(each.addresses, entry))
            yield {"TF_REATTACH_PROVIDERS": json.dumps(reattach)}


def _import_servers() -> tuple[ModuleType, ModuleType]:
    """Import what only builds need, grpc above all."""
    package = "genba_gateway.provider"
    return import_module(f"{package}.endpoint"), import_module(f"{package}.catalogue")


def _describe_socket(socket: Path) -> Mapping[str, object]:
    return {
        "Protocol": "grpc",
        "ProtocolVersion": PROTOCOL_VERSION,
        "Pid": os.getpid(),
        # Without it Terraform kills the process of that pid when it is done: the gateway.
        "Test": True,
        "Addr": {"Network": "unix", "String": str(socket)},
    }


def _prepare_folder(folder: Path) -> None:
    length = len(os.fsencode(folder)) + SOCKET_NAME_BYTES
    if length > MAX_SOCKET_PATH_BYTES:
        raise ConfigError(
            f"The runtime folder {folder} is too long a path: a socket in it would have {length} bytes, "
            f"{MAX_SOCKET_PATH_BYTES} are possible. Choose a shorter one."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat(follow_symlinks=False)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise ConfigError(
            f"The runtime folder {folder} must be a folder of the gateway's user that nobody else may enter. "
            f"Remove it, or run: chmod 700 {folder}"
        )
