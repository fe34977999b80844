"""Both ends of a link with a carrier between them that can be cut."""

from __future__ import annotations

from collections import deque

from genba_wire.tunnel.frames import Frame, Hello, Open, Resume, encode, parse
from genba_wire.tunnel.greeting import Greeting, LinkRequested
from genba_wire.tunnel.link import DataReceived, Link, LinkEvent, LinkState

BOOT = b"b" * 16
KEEP_S = 3600


class FakeRandom:
    """Counts instead of drawing, so that failures repeat."""

    def __init__(self, seed: int) -> None:
        self._next = seed << 32

    def __call__(self, size: int) -> bytes:
        self._next += 1
        return self._next.to_bytes(size, "big")


def make_client(now: float = 0.0) -> Link:
    return Link.connect(b"l" * 16, b"c" * 32, now=now, random=FakeRandom(1))


def make_agent(opening: Open, now: float = 0.0, hello: Hello | None = None) -> Link:
    return Link.accept(
        opening, private_key=b"a" * 32, boot_id=BOOT, keep_s=KEEP_S, now=now, hello=hello, random=FakeRandom(2)
    )


class LinkPair:
    """A client's link, the agent's once it is accepted, and what is under way between them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.client = make_client()
        self.agent: Link | None = None
        self.greeting: Greeting | None = None
        self.to_agent: deque[bytes] = deque()
        self.to_client: deque[bytes] = deque()
        self.client_events: list[LinkEvent] = []
        self.agent_events: list[LinkEvent] = []
        self.client_sent = b""
        self.agent_sent = b""

    @property
    def client_received(self) -> bytes:
        return _join(self.client_events)

    @property
    def agent_received(self) -> bytes:
        return _join(self.agent_events)

    def connect(self) -> None:
        """A new carrier."""
        self.to_agent.clear()
        self.to_client.clear()
        self.greeting = Greeting(BOOT, self.now)
        self.client.attach(self.now)
        self._collect()

    def cut(self, *, agent_notices: bool = True) -> None:
        """The carrier breaks, with all that is under way."""
        self.to_agent.clear()
        self.to_client.clear()
        self.greeting = None
        self.client_events += self.client.detach(self.now)
        if self.agent is not None and agent_notices:
            self.agent_events += self.agent.detach(self.now)

    def send_from_client(self, data: bytes) -> None:
        self.client.send((data,))
        self.client_sent += data
        self._collect()

    def send_from_agent(self, data: bytes) -> None:
        assert self.agent is not None
        self.agent.send((data,))
        self.agent_sent += data
        self._collect()

    def deliver_to_agent(self) -> None:
        """One message of the client arrives."""
        message = self.to_agent.popleft()
        greeting = self.greeting
        if greeting is None:
            assert self.agent is not None
            self.agent_events += self.agent.receive_message(message, self.now)
        else:
            for event in greeting.receive_message(message, self.now):
                assert isinstance(event, LinkRequested)
                self.to_client.extend(b"".join(parts) for parts in greeting.messages_to_send())
                self.greeting = None
                self._begin(event)
        self._collect()

    def deliver_to_client(self) -> None:
        """One message of the agent arrives."""
        self.client_events += self.client.receive_message(self.to_client.popleft(), self.now)
        self._collect()

    def deliver_all(self) -> None:
        while self.to_agent or self.to_client:
            while self.to_agent:
                self.deliver_to_agent()
            while self.to_client:
                self.deliver_to_client()

    def under_way(self) -> tuple[list[Frame | None], list[Frame | None]]:
        """Frames to the agent, and to the client."""
        return [parse(message) for message in self.to_agent], [parse(message) for message in self.to_client]

    def put(self, frame: Frame, *, to_client: bool = False) -> None:
        """Something is said that neither end said."""
        (self.to_client if to_client else self.to_agent).append(encode(frame))

    def collect(self) -> None:
        """Put what the ends have to say under way."""
        self._collect()

    def _begin(self, event: LinkRequested) -> None:
        match event.frame:
            case Open():
                self.agent = make_agent(event.frame, self.now, event.hello)
            case Resume():
                assert self.agent is not None
                self.agent.resume(event.frame, self.now, hello=event.hello)

    def _collect(self) -> None:
        self.to_agent.extend(b"".join(parts) for parts in self.client.messages_to_send())
        if self.greeting is not None:
            self.to_client.extend(b"".join(parts) for parts in self.greeting.messages_to_send())
        elif self.agent is not None:
            self.to_client.extend(b"".join(parts) for parts in self.agent.messages_to_send())


def opened() -> LinkPair:
    """A pair that is open."""
    pair = LinkPair()
    pair.connect()
    pair.deliver_all()
    assert pair.client.state is LinkState.OPEN
    return pair


def agent_of(pair: LinkPair) -> Link:
    assert pair.agent is not None
    return pair.agent


def _join(events: list[LinkEvent]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, DataReceived))
