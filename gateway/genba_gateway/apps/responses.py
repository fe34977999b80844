"""Answers of apps, read from bytes: heads and chunks by parsers, while bodies of a known length pass. No sockets.

The head of an answer that comes whole, over HTTP/1.1, is read by httptools, as are its chunks (`plain_answers`). Every
other is h11's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import Final

import h11

from genba_gateway.apps.plain_answers import MAX_HEAD_BYTES, BadChunks, PlainAnswer, read_plain
from genba_wire.buffers import Buffer

MAX_INFORMATIONAL: Final = 16
"""Answers of the kind 1xx before the real one; an app that sends more will not come to it."""

_SWITCHING: Final = 101
_EARLY_HINTS: Final = 103
_END: Final = h11.EndOfMessage()


class BadAnswer(Exception):
    """What the app sent is no HTTP."""


class Framing(Enum):
    """How an answer's body ends."""

    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()
    """With the connection."""


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The head of an answer, header names in lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]
    framing: Framing


@dataclass(slots=True)
class ResponseReader:
    """Reads one answer."""

    method: str
    is_upgrade: bool = False
    is_complete: bool = False
    can_reuse: bool = False
    """Whether the connection may carry another request once this is complete."""
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    hints: list[bytes] = field(default_factory=list[bytes])
    """Links of answers of the kind 103 (RFC 8297), until somebody takes them."""
    early: bytes = b""
    """What came behind the head of a 101."""
    _plain: PlainAnswer | None = None
    _h11: h11.Connection | None = None
    _framing: Framing = Framing.NONE
    _remaining: int = 0
    _informational: int = 0

    def read_head(self, data: Buffer) -> tuple[ResponseHead, list[Buffer]] | None:
        """Take bytes; return the head once it is there, with what came of the body.

        Raises:
            BadAnswer: no HTTP, or ended (`data` is empty) before.
        """
        head = bytes(data)
        if self._h11 is None:
            plain = None if self.is_upgrade else read_plain(self.method, head)
            if plain is not None:
                return self._begin_plain(plain, memoryview(head)[plain.size :])
            self._h11 = _start_h11(self.method, self.is_upgrade)
        try:
            self._h11.receive_data(head)
            while True:
                event = self._h11.next_event()
                if event is h11.NEED_DATA:
                    return None
                if isinstance(event, h11.Response) or (
                    isinstance(event, h11.InformationalResponse) and event.status_code == _SWITCHING
                ):
                    return self._begin(event, self._h11)
                self._informational += 1
                if not isinstance(event, h11.InformationalResponse) or self._informational > MAX_INFORMATIONAL:
                    raise BadAnswer("it ended before it had answered, or never came to it")
                if event.status_code == _EARLY_HINTS:
                    self.hints += [value for name, value in event.headers if name == b"link"]
        except h11.RemoteProtocolError as error:
            raise BadAnswer(str(error)) from error

    def read_body(self, data: Buffer) -> list[Buffer]:
        """Take bytes of the body, none at the connection's end; return the body's.

        Raises:
            BadAnswer: more than there may be, or less; or no chunks.
        """
        match self._framing:
            case Framing.CHUNKED if self._plain is not None:
                return self._read_plain_chunks(self._plain, data)
            case Framing.CHUNKED:
                return self._read_chunks(bytes(data))
            case Framing.CLOSE:
                self.is_complete = not data
                return [data] if data else []
            case _ if not data:
                raise BadAnswer("the body ended too early")
            case _:
                return self._count(data)

    def _begin_plain(self, plain: PlainAnswer, rest: Buffer) -> tuple[ResponseHead, list[Buffer]]:
        self._plain = plain
        self._framing = self._find_framing(plain.status, plain.headers)
        self.can_reuse = _is_kept(plain.headers)
        return self._pass(ResponseHead(plain.status, plain.headers, self._framing), rest)

    def _begin(
        self, event: h11.Response | h11.InformationalResponse, parser: h11.Connection
    ) -> tuple[ResponseHead, list[Buffer]]:
        headers = list(event.headers)
        self._framing = self._find_framing(event.status_code, headers)
        head = ResponseHead(event.status_code, headers, self._framing)
        if event.status_code == _SWITCHING:
            self.early = parser.trailing_data[0]
            return head, []
        is_kept = event.http_version == b"1.1" and _is_kept(headers)
        self.can_reuse = self._framing is not Framing.CLOSE and is_kept
        if self._framing is Framing.CHUNKED:
            return head, self._read_chunks(None)
        return self._pass(head, parser.trailing_data[0])

    def _pass(self, head: ResponseHead, rest: Buffer) -> tuple[ResponseHead, list[Buffer]]:
        """Begin a body that needs no parser."""
        if self._framing is Framing.NONE or (self._framing is Framing.LENGTH and not self._remaining):
            self.is_complete = True
            self.can_reuse = self.can_reuse and not rest
            return head, []
        return head, self.read_body(rest) if rest else []

    def _find_framing(self, status: int, headers: list[tuple[bytes, bytes]]) -> Framing:
        named = {name: value for name, value in headers if name in (b"content-length", b"transfer-encoding")}
        if len(named) > 1:
            raise BadAnswer("it names two lengths of its body (Content-Length and Transfer-Encoding)")
        if self.method == "HEAD" or status < 200 or status in (204, 304):
            return Framing.NONE
        if b"transfer-encoding" in named:
            return Framing.CHUNKED
        if b"content-length" in named:
            self._remaining = int(named[b"content-length"])
            return Framing.LENGTH
        return Framing.CLOSE

    def _count(self, data: Buffer) -> list[Buffer]:
        size = len(data)
        if size > self._remaining:
            # What follows a complete answer belongs to nobody: it is not used, and nor is the connection again.
            data, size = memoryview(data)[: self._remaining], self._remaining
            self.can_reuse = False
        self._remaining -= size
        self.is_complete = not self._remaining
        return [data]

    def _read_plain_chunks(self, plain: PlainAnswer, data: Buffer) -> list[Buffer]:
        if not data:
            raise BadAnswer("the body ended too early")
        try:
            parts: list[Buffer] = [*plain.read_chunks(data)]
        except BadChunks as error:
            raise BadAnswer(str(error)) from error
        self.is_complete, self.trailers = plain.is_complete, plain.trailers
        self.can_reuse = self.can_reuse and not plain.has_more
        return parts

    def _read_chunks(self, data: bytes | None) -> list[Buffer]:
        parts: list[Buffer] = []
        parser = self._h11 or _start_h11(self.method, self.is_upgrade)
        try:
            if data is not None:
                parser.receive_data(data)
            while True:
                event = parser.next_event()
                if isinstance(event, h11.Data):
                    parts.append(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    self.trailers = list(event.headers)
                    self.is_complete = True
                    self.can_reuse = self.can_reuse and not parser.trailing_data[0]
                    return parts
                elif event is h11.NEED_DATA:
                    return parts
                else:
                    raise BadAnswer("the body ended too early")
        except h11.RemoteProtocolError as error:
            raise BadAnswer(str(error)) from error


@lru_cache(maxsize=64)
def _stand_in(method: str, is_upgrade: bool) -> h11.Request:  # a key of the cache
    """What was really sent was written by us; h11 has to know only how the answer is framed."""
    headers = [("host", "app")]
    if is_upgrade:
        headers += [("connection", "upgrade"), ("upgrade", "websocket")]
    return h11.Request(method=method, target="/", headers=headers)


def _is_kept(headers: list[tuple[bytes, bytes]]) -> bool:
    return not any(name == b"connection" and b"close" in value.lower() for name, value in headers)


def _start_h11(method: str, is_upgrade: bool) -> h11.Connection:  # two facts of one request
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    parser.send(_stand_in(method, is_upgrade))
    parser.send(_END)
    return parser
