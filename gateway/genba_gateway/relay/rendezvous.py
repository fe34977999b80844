"""The gateway asks an agent for a carrier, the agent opens one: here the two meet, by the nonce of the request."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from genba_gateway.errors import AgentUnreachable, Conflict, NotFound
from genba_gateway.relay.ends import End


class Rendezvous:
    """The carriers that are asked for and have not come yet, of this process."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def expect(self, nonce: str, agent_id: str) -> Waiting:
        """Await the carrier that this agent will open for this nonce, for the length of the returned context.

        The agent's end is the context's: when it ends, so does the agent's request (`deliver` returns).
        """
        return Waiting(self._waiting, nonce, agent_id)

    def check(self, nonce: str, agent_id: str) -> None:
        """Refuse a carrier that nobody waits for, before its websocket is accepted.

        Raises:
            NotFound: nobody asked this agent for it, or no longer does.
            Conflict: it has come already.
        """
        waiting = self._waiting.get(nonce)
        if waiting is None or waiting.agent_id != agent_id:
            raise NotFound("Nobody waits for this carrier: the request that asked for it has ended.")
        if waiting.has_arrived:
            raise Conflict("This carrier was opened before; each is asked for by a nonce of its own.")

    async def deliver(self, nonce: str, agent_id: str, end: End) -> None:
        """Hand over the agent's end; return when the session is over.

        Raises:
            NotFound, Conflict: as `check` does.
        """
        self.check(nonce, agent_id)
        await self._waiting[nonce].hand_over(end)


class Waiting:
    """One carrier that is asked for; an async context manager."""

    def __init__(self, table: dict[str, Waiting], nonce: str, agent_id: str) -> None:
        self.agent_id = agent_id
        self._table = table
        self._nonce = nonce
        self._end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._is_over = asyncio.Event()

    @property
    def has_arrived(self) -> bool:
        """Whether the agent's end is there."""
        return self._end.done()

    async def arrive(self, timeout_s: float) -> End:
        """Return the agent's end, which stays the context's.

        Raises:
            AgentUnreachable: it did not come within `timeout_s`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._end)
        except TimeoutError as error:
            raise AgentUnreachable(
                f"The agent did not open a carrier within {timeout_s:g} s. It may have lost its network."
            ) from error

    async def hand_over(self, end: End) -> None:
        """For `Rendezvous.deliver`: give the agent's end, and wait for the end of the session."""
        self._end.set_result(end)
        await self._is_over.wait()

    async def __aenter__(self) -> Self:
        self._table[self._nonce] = self
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._table[self._nonce]
        self._is_over.set()
