"""Two carriers joined, message by message: the slower way, where one end's transport could not be taken."""

from __future__ import annotations

import asyncio

from genba_gateway.relay.joint import JoinEnd
from genba_wire.aio.carrier import CLOSE_GOING_AWAY, Carrier


class CarrierJoint:
    """A `Joint` of two carriers."""

    def __init__(self, client: Carrier, agent: Carrier) -> None:
        self._client = _Side(self, client, "client")
        self._agent = _Side(self, agent, "agent")
        self._client.other, self._agent.other = self._agent, self._client
        self._reason = ""
        self._is_over = asyncio.Event()

    async def run(self) -> JoinEnd:
        for side in (self._client, self._agent):
            side.carrier.start(side)
            if side.carrier.is_sending_paused:
                side.sending_paused()
        try:
            await self._is_over.wait()
        finally:
            self.close(CLOSE_GOING_AWAY, "The session has ended.")
        return JoinEnd(self._reason, self._client.received_bytes, self._agent.received_bytes)

    def close(self, code: int, reason: str) -> None:
        self._reason = self._reason or reason
        self._is_over.set()
        for side in (self._client, self._agent):
            side.carrier.close(code, reason)

    def lost(self, side: _Side, reason: str) -> None:
        """One end is gone: the other one is told, and the session is over."""
        self.close(CLOSE_GOING_AWAY, f"The {side.name}'s connection has ended: {reason}")


class _Side:
    """A `CarrierReceiver`: what one carrier receives goes to the other one."""

    other: _Side

    def __init__(self, joint: CarrierJoint, carrier: Carrier, name: str) -> None:
        self.name = name
        self.carrier = carrier
        self.received_bytes = 0
        self._joint = joint

    def message_received(self, message: memoryview | bytes) -> None:
        self.received_bytes += len(message)
        self.other.carrier.send(message)

    def carrier_lost(self, reason: str) -> None:
        self._joint.lost(self, reason)

    def sending_paused(self) -> None:
        self.other.carrier.pause_reading()

    def sending_resumed(self) -> None:
        self.other.carrier.resume_reading()
