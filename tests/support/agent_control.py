"""What a gateway for agents says on control carriers."""

from __future__ import annotations

from dataclasses import dataclass, field

from genba_wire.tunnel import frames


@dataclass
class ControlTalk:
    """Greets, answers pings, and keeps what agents said. It is the same for all carriers of a gateway."""

    hello: frames.Hello = field(default_factory=frames.Hello)
    """What agents are greeted with."""
    is_mute: bool = False
    """Take everything and say nothing: as a gateway behind a broken line."""
    heard: list[frames.Frame] = field(default_factory=list[frames.Frame])
    goodbyes: int = 0
    """Close frames that agents sent."""

    def answer(self, message: bytes) -> bytes | None:
        """Take a message, and say what is to be sent."""
        frame = frames.parse(message)
        assert frame is not None
        self.heard.append(frame)
        match frame:
            case _ if self.is_mute:
                return None
            case frames.Hello():
                return frames.encode(self.hello)
            case frames.Ping(token):
                return frames.encode(frames.Pong(token))
            case _:
                return None

    def count(self, frame_class: type[frames.Ping | frames.Pong | frames.Hello | frames.Answer]) -> int:
        """How many frames of a class were heard."""
        return sum(isinstance(frame, frame_class) for frame in self.heard)
