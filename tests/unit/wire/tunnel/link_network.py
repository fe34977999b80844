"""Both ends of a link and a network that may do anything a network does, except change bytes.

Any number of carriers may be there at once: the client dials while earlier ones linger, and what the agent hears of
them comes in any order among carriers. Within a carrier the order is kept, and either end may learn late of its loss.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from genba_wire.tunnel.frames import CloseCode, Open
from genba_wire.tunnel.greeting import Greeting, LinkRequested
from genba_wire.tunnel.link import CarrierDead, DataReceived, Link, LinkClosed, LinkEvent, LinkState
from genba_wire.tunnel.replay import ReplayBudget
from tests.unit.wire.tunnel.link_pair import BOOT, KEEP_S, FakeRandom


@dataclass
class NetworkCarrier:
    """One connection, and what is under way on it."""

    greeting: Greeting | None
    to_agent: deque[bytes] = field(default_factory=deque[bytes])
    to_client: deque[bytes] = field(default_factory=deque[bytes])
    is_cut: bool = False


class NetworkEnd:
    """One end: its link, what it was given to send, and what arrived."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.carrier: NetworkCarrier | None = None
        self.sent = b""
        self.received = bytearray()
        self.ended: LinkClosed | None = None

    def take(self, events: list[LinkEvent]) -> None:
        for event in events:
            match event:
                case DataReceived(data):
                    self.received += data
                case CarrierDead():
                    self.carrier = None
                case LinkClosed():
                    self.ended = event
                case _:
                    pass


class Network:
    """The world. Call its methods in any order."""

    def __init__(self, *, budget: ReplayBudget | None = None) -> None:
        self.now = 0.0
        self.budget = budget or ReplayBudget()
        link = Link.connect(b"l" * 16, b"c" * 32, now=0.0, random=FakeRandom(1), budget=self.budget)
        self.client = NetworkEnd(link)
        self.agent: NetworkEnd | None = None
        self.carriers: list[NetworkCarrier] = []

    def dial(self) -> None:
        """The client opens another carrier, whatever became of the one before."""
        if self.client.ended is not None or self.client.link.state is LinkState.OPENING:
            return
        carrier = NetworkCarrier(Greeting(BOOT, self.now))
        self.carriers.append(carrier)
        self.client.take(self.client.link.detach(self.now))
        if self.client.ended is None:
            self.client.link.attach(self.now)
            self.client.carrier = carrier
        self.collect()

    def send(self, *, from_client: bool, size: int) -> None:
        """An end sends, as far as it has room."""
        end = self.client if from_client else self.agent
        if end is None or end.ended is not None or not end.link.is_writable or end.link.room < size:
            return
        data = bytes((len(end.sent) + at) % 251 for at in range(size))
        end.link.send((data[: size // 2], data[size // 2 :]))
        end.sent += data
        self.collect()

    def resend(self, budget: int) -> None:
        """Both ends send again some of what they have to."""
        for end in self.ends:
            if end.link.has_more_to_resend:
                end.link.resend(budget)
        self.collect()

    def deliver(self, index: int, *, to_client: bool) -> None:
        """One message of a carrier arrives."""
        if not self.carriers:
            return
        carrier = self.carriers[index % len(self.carriers)]
        if to_client:
            if carrier.to_client:
                message = carrier.to_client.popleft()
                if self.client.carrier is carrier:
                    self.client.take(self.client.link.receive_message(message, self.now))
        elif carrier.to_agent:
            self._hear(carrier, carrier.to_agent.popleft())
        self.collect()

    def lose(self, index: int, *, client_hears: bool, agent_hears: bool) -> None:
        """A carrier breaks; an end that does not hear of it goes on as if it had not."""
        if not self.carriers:
            return
        carrier = self.carriers[index % len(self.carriers)]
        carrier.is_cut = True
        carrier.to_agent.clear()
        carrier.to_client.clear()
        for end, hears in ((self.client, client_hears), (self.agent, agent_hears)):
            if end is not None and hears and end.carrier is carrier:
                end.carrier = None
                end.take(end.link.detach(self.now))

    def pass_time(self, seconds: float) -> None:
        """Timers fire."""
        self.now += seconds
        for end in self.ends:
            end.take(end.link.handle_timer(self.now))
        self.collect()

    def settle(self) -> None:
        """A last carrier, on which nothing is lost any more."""
        for index in range(len(self.carriers)):
            self.lose(index, client_hears=True, agent_hears=True)
        self.dial()
        for _ in range(10_000):
            busy = [carrier for carrier in self.carriers if carrier.to_agent or carrier.to_client]
            if not busy and not any(end.link.has_more_to_resend for end in self.ends):
                return
            self.resend(1000)
            for index, carrier in enumerate(self.carriers):
                if carrier in busy:
                    self.deliver(index, to_client=False)
                    self.deliver(index, to_client=True)
        raise AssertionError("the ends never stopped talking")

    @property
    def ends(self) -> list[NetworkEnd]:
        return [self.client] if self.agent is None else [self.client, self.agent]

    def collect(self) -> None:
        """Put what the ends have to say under way; what is said on a carrier that is cut is lost."""
        for end in self.ends:
            messages = [b"".join(parts) for parts in end.link.messages_to_send()]
            if end.carrier is not None and not end.carrier.is_cut:
                (end.carrier.to_agent if end is self.client else end.carrier.to_client).extend(messages)

    def _hear(self, carrier: NetworkCarrier, message: bytes) -> None:
        greeting = carrier.greeting
        if greeting is None:
            if self.agent is not None and self.agent.carrier is carrier:
                self.agent.take(self.agent.link.receive_message(message, self.now))
            return
        requested: LinkRequested | None = None
        for event in greeting.receive_message(message, self.now):
            assert isinstance(event, LinkRequested), event
            requested = event
        is_ours = requested is not None and self._begin(requested)
        if requested is not None and not is_ours:
            greeting.refuse(CloseCode.UNKNOWN_LINK, "not this one")
        if not carrier.is_cut:
            carrier.to_client.extend(b"".join(parts) for parts in greeting.messages_to_send())
        if requested is not None:
            carrier.greeting = None
        if is_ours and self.agent is not None:
            self.agent.carrier = carrier

    def _begin(self, requested: LinkRequested) -> bool:
        """Do as the agent's table of links does; say whether the carrier is the link's now."""
        frame = requested.frame
        if isinstance(frame, Open):
            link = Link.accept(
                frame,
                private_key=b"a" * 32,
                boot_id=BOOT,
                keep_s=KEEP_S,
                now=self.now,
                hello=requested.hello,
                random=FakeRandom(2),
                budget=self.budget,
            )
            self.agent = NetworkEnd(link)
            return True
        agent = self.agent
        if agent is None or agent.ended is not None or frame.epoch <= agent.link.epoch:
            return False
        agent.take(agent.link.detach(self.now))
        agent.link.resume(frame, self.now, hello=requested.hello)
        return True
