"""One provider on one unix socket: grpc in the gateway's own event loop.

Imported when the first build is served, in a thread: grpc alone takes a twentieth of a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

import grpc

from genba_gateway.provider import tfplugin6_pb2 as pb
from genba_gateway.provider.server import Servicer

log = logging.getLogger(__name__)

SERVICE = "tfplugin6.Provider"

# Terraform itself accepts messages of this size; grpc's own limit of 4 MiB is below what large templates need.
MAX_MESSAGE_BYTES = 256 << 20
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
)


class _Message(Protocol):
    @classmethod
    def FromString(cls, s: bytes) -> Any: ...

    def SerializeToString(self) -> bytes: ...


@asynccontextmanager
async def listen(servicer: Servicer, socket: Path) -> AsyncGenerator[None]:
    """Serve on `socket` for as long as the context lasts; calls still running at its end are cancelled."""
    _keep_grpc_running()
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((make_handler(servicer),))
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)
        await asyncio.to_thread(socket.unlink, missing_ok=True)


@cache
def _keep_grpc_running() -> None:
    """Start grpc's poller once and for good.

    Otherwise it starts with the first server and ends with the last one, whenever that is collected as garbage, and
    its end makes the event loop wait for a thread.
    """
    grpc.aio.init_grpc_aio()


def make_handler(servicer: Servicer) -> grpc.GenericRpcHandler:
    """Give grpc the table of calls."""
    calls: dict[str, tuple[type[_Message], Callable[..., Awaitable[object]]]] = {
        "GetProviderSchema": (pb.GetProviderSchema.Request, servicer.get_schemas),
        "ValidateProviderConfig": (pb.ValidateProviderConfig.Request, servicer.validate_provider),
        "ConfigureProvider": (pb.ConfigureProvider.Request, servicer.configure),
        "ValidateResourceConfig": (pb.ValidateResourceConfig.Request, servicer.validate_resource),
        "ValidateDataResourceConfig": (pb.ValidateDataResourceConfig.Request, servicer.validate_data_source),
        "UpgradeResourceState": (pb.UpgradeResourceState.Request, servicer.upgrade),
        "ReadResource": (pb.ReadResource.Request, servicer.read_resource),
        "PlanResourceChange": (pb.PlanResourceChange.Request, servicer.plan),
        "ApplyResourceChange": (pb.ApplyResourceChange.Request, servicer.apply),
        "ImportResourceState": (pb.ImportResourceState.Request, servicer.import_resource),
        "ReadDataSource": (pb.ReadDataSource.Request, servicer.read_data_source),
        "StopProvider": (pb.StopProvider.Request, servicer.stop),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(_logging_failures(name, call), request.FromString, _serialize)
        for name, (request, call) in calls.items()
    }
    return grpc.method_handlers_generic_handler(SERVICE, handlers)


def _logging_failures(name: str, call: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    async def answer(request: object, context: object) -> object:
        del context
        try:
            return await call(request)
        except Exception as error:
            # The edge of a call: Terraform gets the error as the call's status, the log has the traceback.
            # In a thread, since a traceback's lines are read from disk.
            await asyncio.to_thread(log.error, "the provider's call %s failed", name, exc_info=error)
            raise

    return answer


def _serialize(message: object) -> bytes:
    return message if isinstance(message, bytes) else cast(_Message, message).SerializeToString()
