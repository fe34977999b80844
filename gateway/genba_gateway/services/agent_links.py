"""The gateway's own links to agents, one to each process of an agent and lane; streams of several sessions share it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from enum import Enum
from typing import Final, NamedTuple

from genba_gateway.domain.session_grants import Purpose
from genba_gateway.errors import AgentUnreachable, GenbaError, StreamNotAccepted
from genba_gateway.relay.ends import carrier_of
from genba_gateway.services.agent_dials import AgentDials
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.stream import Stream
from genba_wire.errors import StreamRefused, WireError
from genba_wire.tunnel.mux_frames import ResetCode

KEEP_IDLE_S: Final = 60.0
"""How long a link without streams is kept: the next terminal then opens without a dial."""

OPEN_LIMIT_S: Final = 10.0
"""How long an agent may take to accept a stream: as long as for a carrier."""


class Lane(Enum):
    """What shares a link. Bulk of one lane does not delay what another one carries."""

    TERMINALS = Purpose.TERMINAL
    APPS = Purpose.TUNNEL
    APP_SOCKETS = "websockets of apps"
    """Keystrokes of editors in browsers."""

    @property
    def purpose(self) -> Purpose:
        """What the agent is told: agents of before there were apps know that a tunnel may reach ports."""
        return self.value if isinstance(self.value, Purpose) else Purpose.TUNNEL


_STOPPING: Final = "The gateway is stopping."

log = logging.getLogger(__name__)


class OpenedStream:
    """A stream to an agent, and the process of the agent that serves it. Its link is kept until it is released."""

    def __init__(self, stream: Stream, boot_id: str, stack: ExitStack) -> None:
        self.stream = stream
        self.boot_id = boot_id
        self._stack = stack

    def release(self) -> None:
        """End the stream, unless it has ended; harmless when called again."""
        if not self.stream.is_over:
            self.stream.reset(ResetCode.CANCELLED, "The viewer left.")
        self._stack.close()


class AgentLinks:
    """Opens streams to agents.

    A link whose carrier is lost is over at both ends, since nothing of it is ever resumed here: its streams end, the
    next one dials again, and what outlives a viewer lives in the agent.

    Args:
        keep_idle_s: how long a link without streams is kept.
        open_limit_s: how long an agent may take to accept a stream.
    """

    def __init__(
        self, dials: AgentDials, *, keep_idle_s: float = KEEP_IDLE_S, open_limit_s: float = OPEN_LIMIT_S
    ) -> None:
        self._dials = dials
        self._keep_idle_s = keep_idle_s
        self._open_limit_s = open_limit_s
        self._links: dict[_Key, _Link] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keep the links until cancelled; without this, none can be opened."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await asyncio.Event().wait()
        finally:
            self._tasks = None

    @asynccontextmanager
    async def open_stream(self, agent_id: str, kind: str, head: bytes) -> AsyncGenerator[OpenedStream]:
        """A stream of a terminal's session for the length of the block.

        Raises:
            AgentUnreachable: as `take_stream` does.
        """
        opened = await self.take_stream(agent_id, kind, head)
        try:
            yield opened
        finally:
            opened.release()

    async def take_stream(self, agent_id: str, kind: str, head: bytes, lane: Lane = Lane.TERMINALS) -> OpenedStream:
        """A stream, which the caller releases.

        Raises:
            StreamNotAccepted: the agent answered that it serves no such stream, or reaches nothing at its address.
            AgentUnreachable: the agent can't be dialled, or does not answer in time.
        """
        link = self._link_to(_Key(agent_id, self._dials.get_boot_id(agent_id), lane))
        with ExitStack() as stack:
            stack.enter_context(link.used())
            session = await asyncio.shield(link.session)
            stream = await self._open(session, kind, head)
            return OpenedStream(stream, link.boot_id, stack.pop_all())

    async def _open(self, session: LinkSession, kind: str, head: bytes) -> Stream:
        try:
            async with asyncio.timeout(self._open_limit_s):
                return await session.open_stream(kind, head)
        except TimeoutError as error:
            raise AgentUnreachable(f"The agent did not answer within {self._open_limit_s:g} s.") from error
        except StreamRefused as error:
            raise StreamNotAccepted(f"The agent refused: {error}.") from error
        except WireError as error:
            raise AgentUnreachable(f"The link to the agent broke: {error}.") from error

    def _link_to(self, key: _Key) -> _Link:
        link = self._links.get(key)
        if link is None or link.is_over.is_set():
            if self._tasks is None:
                raise AgentUnreachable(_STOPPING)
            link = self._links[key] = _Link(key, self._keep_idle_s)
            self._tasks.create_task(self._keep(link), name=f"link to agent {key.agent_id}")
        return link

    async def _keep(self, link: _Link) -> None:
        """Dial and connect, then wait until the link is over."""
        try:
            async with self._dials.dial(link.agent_id, link.key.lane.purpose) as dialled:
                session = await LinkSession.connect(
                    carrier_of(dialled.end), on_closed=lambda end: link.end(end.reason), never_resumes=True
                )
                try:
                    link.boot_id = dialled.boot_id
                    link.session.set_result(session)
                    await link.is_over.wait()
                finally:
                    session.close()
        except GenbaError as error:
            link.fail(error)
        except WireError as error:
            link.fail(AgentUnreachable(f"The agent opened a carrier, but no link: {error}."))
        except Exception:  # the task's edge: other links go on
            log.exception("the link to agent %s failed", link.agent_id)
            link.fail(AgentUnreachable("Something went wrong in the gateway; its log says what."))
        finally:
            link.is_over.set()
            link.fail(AgentUnreachable(_STOPPING))
            if self._links.get(link.key) is link:
                del self._links[link.key]


class _Key(NamedTuple):
    """Which link."""

    agent_id: str
    boot_id: str
    lane: Lane


class _Link:
    """A link from before it is dialled until it is over."""

    def __init__(self, key: _Key, keep_idle_s: float) -> None:
        self.key = key
        self.agent_id, self.boot_id, _ = key
        self.session: asyncio.Future[LinkSession] = asyncio.get_running_loop().create_future()
        self.is_over = asyncio.Event()
        self._keep_idle_s = keep_idle_s
        self._uses = 0
        self._idle_timer: asyncio.TimerHandle | None = None

    @contextmanager
    def used(self) -> Generator[None]:
        """Keep the link for the length of the block, and for a while after."""
        self._uses += 1
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        try:
            yield
        finally:
            self._uses -= 1
            if self._uses == 0 and not self.is_over.is_set():
                self._idle_timer = asyncio.get_running_loop().call_later(self._keep_idle_s, self.is_over.set)

    def end(self, _reason: str) -> None:
        """The carrier was lost, or the agent ended the link."""
        self.is_over.set()

    def fail(self, error: GenbaError) -> None:
        """Tell those who wait for the link that it will not be, unless it is."""
        if not self.session.done():
            self.session.set_exception(error)
            self.session.exception()  # retrieved: nobody may be waiting any more
