"""The end of a stream at a socket that the agent connected for it."""

from __future__ import annotations

import asyncio

from genba_wire.aio.socket_joint import SocketJoint


class AcceptingJoint(SocketJoint):
    """Accepts the stream when the socket is connected, before the first byte goes either way."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._stream.is_over:
            transport.close()
            return
        self._stream.accept()
        super().connection_made(transport)
