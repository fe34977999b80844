"""The links of this process, by id, and the greeting of a new data carrier."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Final

from genba_agent.carriers.purposes import may_open
from genba_agent.options import SESSION_KEEP_S
from genba_wire.aio.carrier import CLOSE_NORMAL, CLOSE_PROTOCOL_ERROR, Carrier
from genba_wire.aio.link_session import LinkSession
from genba_wire.aio.stream import Stream, StreamHandler
from genba_wire.errors import LinkEnded, RemoteProtocolError
from genba_wire.tunnel.frames import KEY_BYTES, CloseCode, Hello, Open
from genba_wire.tunnel.greeting import Greeting, GreetingEvent, GreetingFailed, LinkRequested
from genba_wire.tunnel.link import Link
from genba_wire.tunnel.mux_frames import ResetCode

logger = logging.getLogger(__name__)

MAX_LINKS: Final = 256
"""A link is a client's process; so many at once are a mistake or an attack. Those without a carrier make room."""


class LinkTable:
    """Links that clients made with this process. They outlive their carriers."""

    def __init__(self, boot_id: bytes, handler: StreamHandler, *, keep_s: int = SESSION_KEEP_S) -> None:
        """`boot_id`: 16 bytes of this process; `handler` serves the streams of all links, which are kept without a
        carrier for `keep_s`."""
        self.boot_id = boot_id
        self._handler = handler
        self._keep_s = keep_s
        self._links: dict[bytes, tuple[Link, LinkSession]] = {}
        self._purposes: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._links)

    def serve(self, carrier: Carrier, purpose: str = "") -> None:
        """Greet whoever is at the other end of a fresh carrier, and make or resume the link that it asks for.

        Args:
            purpose: what the client's ticket is for; its link opens no streams but those.
        """
        carrier.start(_Greeter(self, carrier, purpose))

    def begin(self, carrier: Carrier, frame: Open, hello: Hello, purpose: str) -> None:
        """Make a new link on a carrier.

        Raises:
            RemoteProtocolError: the link exists, there are too many with a carrier, or its key is no key.
        """
        if frame.link_id in self._links:
            raise RemoteProtocolError("a link with this id exists already")
        if len(self._links) >= MAX_LINKS and not self._drop_longest_detached():
            raise RemoteProtocolError(f"this agent has {MAX_LINKS} links, and no room for another")
        link = Link.accept(
            frame,
            private_key=secrets.token_bytes(KEY_BYTES),
            boot_id=self.boot_id,
            keep_s=self._keep_s,
            now=asyncio.get_running_loop().time(),
            hello=hello,
        )

        def forget(_end: LinkEnded) -> None:
            del self._links[frame.link_id], self._purposes[frame.link_id]

        def serve_stream(kind: str, head: bytes, stream: Stream) -> None:
            if may_open(purpose, kind):
                self._handler(kind, head, stream)
            else:
                stream.refuse(ResetCode.REFUSED, f"A ticket for a {purpose} opens no streams of the kind {kind!r}.")

        session = LinkSession(link, is_client=False, handler=serve_stream, on_closed=forget)
        self._links[frame.link_id] = (link, session)
        self._purposes[frame.link_id] = purpose
        session.carry(carrier)

    def _drop_longest_detached(self) -> bool:
        """Make room: whoever was away the longest is the least likely to come back."""
        detached = [(at, session) for link, session in self._links.values() if (at := link.detached_at) is not None]
        if not detached:
            return False
        _, session = min(detached, key=lambda each: each[0])
        session.close(CloseCode.EXPIRED, "the agent needed the room for another link")
        return True

    def find(self, link_id: bytes, purpose: str) -> tuple[Link, LinkSession] | None:
        """Return a link of that purpose, or None when it is not known (any more)."""
        return self._links.get(link_id) if self._purposes.get(link_id) == purpose else None

    def close(self, reason: str) -> None:
        """End all links: the agent stops."""
        for _, session in list(self._links.values()):
            session.close(CloseCode.GOING_AWAY, reason)


class _Greeter:
    """Reads the first messages of a carrier; it then belongs to a link, or is closed."""

    def __init__(self, table: LinkTable, carrier: Carrier, purpose: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._table = table
        self._carrier = carrier
        self._purpose = purpose
        self._greeting = Greeting(table.boot_id, self._loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self._set_timer()

    def message_received(self, message: memoryview | bytes) -> None:
        events = self._greeting.receive_message(message, self._loop.time())
        self._send()
        for event in events:
            self._handle(event)

    def carrier_lost(self, reason: str) -> None:
        self._cancel_timer()
        logger.info("A data carrier was lost before its greeting: %s", reason)

    def sending_paused(self) -> None:
        """A greeting is a few hundred bytes."""

    def sending_resumed(self) -> None:
        """A greeting is a few hundred bytes."""

    def _handle(self, event: GreetingEvent) -> None:
        self._cancel_timer()
        if isinstance(event, GreetingFailed):
            self._carrier.close(
                CLOSE_PROTOCOL_ERROR if event.code == CloseCode.PROTOCOL else CLOSE_NORMAL, event.reason
            )
            return
        try:
            self._hand_over(event)
        except RemoteProtocolError as error:
            self._refuse(CloseCode.PROTOCOL, str(error))

    def _hand_over(self, event: LinkRequested) -> None:
        frame = event.frame
        if isinstance(frame, Open):
            self._table.begin(self._carrier, frame, event.hello, self._purpose)
            return
        known = self._table.find(frame.link_id, self._purpose)
        if known is None:
            self._refuse(CloseCode.UNKNOWN_LINK, "The agent does not have this link any more.")
            return
        link, session = known
        if not link.keep_s:
            # To detach it would end it, and whoever this is has proved nothing.
            self._refuse(CloseCode.UNKNOWN_LINK, "This link is not resumed.")
            return
        if frame.epoch <= link.epoch:
            # Carriers may overtake one another: a late one must not cost the link the one that it has.
            self._refuse(CloseCode.BAD_PROOF, "A later connection of the link was there already.")
            return
        session.detach("The client came back over another carrier.")
        if session.end is not None:
            self._refuse(CloseCode.UNKNOWN_LINK, session.end.reason)
            return
        link.resume(frame, self._loop.time(), hello=event.hello)
        session.carry(self._carrier)

    def _refuse(self, code: CloseCode, reason: str) -> None:
        failed = self._greeting.refuse(code, reason)
        self._send()
        self._handle(failed)

    def _send(self) -> None:
        messages = self._greeting.messages_to_send()
        if messages:
            self._carrier.send_messages(messages)

    def _set_timer(self) -> None:
        when = self._greeting.next_timer()
        if when is not None:
            self._timer = self._loop.call_at(when, self._expire, when)

    def _expire(self, when: float) -> None:
        events = self._greeting.handle_timer(max(when, self._loop.time()))
        self._send()
        for event in events:
            self._handle(event)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
