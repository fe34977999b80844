"""pygls, with what we need of it in types: requests of ours in, notifications out.

pygls logs whole messages, tokens included, and tracebacks of every refused request; so its logger is silent here, and
what is worth a line is logged at the edge of each request.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

import msgspec
from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest
from pygls.lsp.server import LanguageServer
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    LanguageServerProtocol,
    default_converter,
    lsp_method,
)

from genba_ide_bridge.lsp.rpc_errors import is_foreseen, to_rpc_error
from genba_wire.version import VERSION

ParametersT = TypeVar("ParametersT", bound=msgspec.Struct)

SILENT: Final = logging.CRITICAL + 1

log = logging.getLogger(__name__)


class MessageWriter(Protocol):
    """Sends bytes to the editor; never blocks."""

    def write(self, data: bytes) -> None:
        """Send one message, with its headers where the way to the editor has them."""
        ...

    def close(self) -> None:
        """Nothing more will be sent."""
        ...


class _Protocol(LanguageServerProtocol):
    """LSP, but for `exit`: pygls ends the process from within the loop, we end in order."""

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_arguments: object) -> None:  # type: ignore[override]  # pygls has a generator here
        server: object = self._server
        if isinstance(server, EditorServer):
            server.end(0 if self._shutdown else 1)

    def refuse(self, message_id: str | int, error: JsonRpcException) -> None:
        """Answer a request that could not be read."""
        self._send_response(message_id, None, error.to_response_error())


class EditorServer(LanguageServer):
    """The language server that one editor talks to."""

    def __init__(self) -> None:
        logging.getLogger("pygls").setLevel(SILENT)
        super().__init__(  # pyright: ignore[reportUnknownMemberType]  # pygls passes the rest on untyped
            "genba",
            VERSION,
            text_document_sync_kind=types.TextDocumentSyncKind.None_,
            protocol_cls=_Protocol,
            converter_factory=_make_converter,
        )
        self._has_ended = asyncio.Event()
        self._exit_code = 0

    async def wait_for_end(self) -> int:
        """Wait until the editor is done; returns the exit code of the process."""
        await self._has_ended.wait()
        return self._exit_code

    def end(self, exit_code: int) -> None:
        """The editor is done. Only the first call counts."""
        if not self._has_ended.is_set():
            self._exit_code = exit_code
            self._has_ended.set()

    def add_request(
        self,
        method: str,
        parameters_type: type[ParametersT],
        action: Callable[[ParametersT], Awaitable[msgspec.Struct]],
    ) -> None:
        """Answer a request of ours with what `action` returns, or with the error that it raises."""

        async def handle(params: dict[str, Any] | None) -> object:
            try:
                parameters = msgspec.convert({} if params is None else params, parameters_type)
                return msgspec.to_builtins(await action(parameters))
            except Exception as error:
                if not is_foreseen(error):
                    log.exception("%s failed.", method)
                raise to_rpc_error(error) from error

        self.feature(method)(handle)

    def notify(self, method: str, params: msgspec.Struct) -> None:
        """Send a notification.

        It goes after the answers of requests that are done by now, so that deltas come after what they are based on.
        """
        asyncio.get_running_loop().call_soon(self.protocol.notify, method, msgspec.to_builtins(params))

    def set_writer(self, writer: MessageWriter, *, has_headers: bool) -> None:
        """Send what there is to say by this."""
        self.protocol.set_writer(writer, include_headers=has_headers)

    def receive(self, body: bytes | str) -> None:
        """Take one message of the editor. What can't be read is logged, and answered where it was a request."""
        try:
            # Not as pygls does it, at each level: a parameter may itself have a member "jsonrpc".
            message: Any = self.protocol.structure_message(msgspec.json.decode(body, type=dict[str, Any]))
        except (msgspec.MsgspecError, RecursionError, JsonRpcException):
            self._refuse(body)
            return
        if isinstance(message, dict):
            self._refuse(body)
            return
        self.protocol.handle_message(message)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log what pygls could not do; the editor's user can't do anything about it."""
        log.warning("A message of the editor could not be handled: %s (%s).", type(error).__name__, source)

    def _refuse(self, body: bytes | str) -> None:
        log.warning("A message of the editor is no valid message of JSON-RPC: %d bytes.", len(body))
        try:
            message_id = msgspec.json.decode(body, type=_Identified).id
        except msgspec.MsgspecError:
            return
        protocol: object = self.protocol
        if message_id is not None and isinstance(protocol, _Protocol):
            protocol.refuse(message_id, JsonRpcInvalidRequest("The request could not be read."))


class _Identified(msgspec.Struct):
    method: str
    id: str | int | None = None


def _make_converter() -> Converter:
    """pygls' converter, but parameters of methods that it does not know stay plain JSON."""
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]  # pygls left it so

    def structure_request(message: dict[str, Any], _type: object) -> JsonRPCRequestMessage:
        return JsonRPCRequestMessage(
            id=message["id"], method=message["method"], jsonrpc=message["jsonrpc"], params=message.get("params")
        )

    def structure_notification(message: dict[str, Any], _type: object) -> JsonRPCNotification:
        return JsonRPCNotification(method=message["method"], jsonrpc=message["jsonrpc"], params=message.get("params"))

    converter.register_structure_hook(JsonRPCRequestMessage, structure_request)
    converter.register_structure_hook(JsonRPCNotification, structure_notification)
    return converter
