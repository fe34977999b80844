"""Answers of apps whose head comes whole, over HTTP/1.1, read by httptools: the head, and the chunks behind it. Pure.

It takes a tenth of the time that h11 takes. What does not begin like that is left to h11 (`apps/responses.py`), as is a
head that httptools finds a fault in: h11 forgives more (lines that end without CR). In chunks they forgive nearly the
same, but for trailers: those that can't be read are dropped.
"""

from __future__ import annotations

from typing import Final

import httptools

from genba_wire.buffers import Buffer

MAX_HEAD_BYTES: Final = 64 * 1024
"""Of an answer's head, of a chunk's line, and of trailers; apps put long cookies and policies there."""


class BadChunks(Exception):
    """They can't be read."""


class PlainAnswer:
    """One answer; httptools calls what begins with `on_`."""

    def __init__(self, size: int) -> None:
        self.size = size
        """Of the head."""
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        """Names in lower case."""
        self.trailers: list[tuple[bytes, bytes]] = []
        self.is_complete = False
        """Whether the last chunk came, and the trailers."""
        self.has_more = False
        """Whether something came behind it."""
        self._parser = httptools.HttpResponseParser(self)
        self._fields = self.headers
        self._parts: list[bytes] = []
        self._is_line_over = False
        """Whether a chunk's line was the last that came: when what follows is no body, that chunk was the last."""
        self._bytes_without_body = 0

    def read_head(self, data: Buffer) -> bool:
        """Take the head; return whether this is for httptools."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        self.status, self._fields = self._parser.get_status_code(), self.trailers
        # Old servers fill up a chunk's size with spaces.
        self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
        return self._parser.get_http_version() == "1.1" and self.status >= 200

    def read_chunks(self, data: Buffer) -> list[bytes]:
        """Take bytes behind the head; return the body's.

        Raises:
            BadChunks: they are none, or their lines or trailers have no end.
        """
        self._parts = []
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.is_complete and not self._is_line_over:
                raise BadChunks(str(error)) from error
            if not self.is_complete:
                self.trailers.clear()
            self.is_complete = self.has_more = True
        self._bytes_without_body = 0 if self._parts else self._bytes_without_body + len(data)
        if self._bytes_without_body > MAX_HEAD_BYTES and not self.is_complete:
            raise BadChunks("a line of its chunks, or their trailers, are too long")
        return self._parts

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or a trailer."""
        if not self.is_complete:
            self._fields.append((name.lower(), value.rstrip(b" \t")))

    def on_chunk_header(self) -> None:
        """The line of a chunk is over."""
        self._is_line_over = True

    def on_body(self, data: bytes) -> None:
        """A part of a chunk."""
        self._is_line_over = False
        if not self.is_complete:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        """The answer is over."""
        self.is_complete = True

    def on_message_begin(self) -> None:
        """The answer begins, or something behind it."""
        self.has_more = self.is_complete


def read_plain(method: str, data: bytes) -> PlainAnswer | None:
    """The answer, if its head is whole and what follows it ends by its length or by chunks."""
    end = data.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
    if end < 0:
        return None
    answer = PlainAnswer(end + 4)
    if not answer.read_head(memoryview(data)[: answer.size]):
        return None
    lengths = [name for name, _ in answer.headers if name == b"content-length"]
    codings = [value.lower() for name, value in answer.headers if name == b"transfer-encoding"]
    has_no_body = method == "HEAD" or answer.status in (204, 304)
    if codings:
        return answer if codings == [b"chunked"] and not lengths and not has_no_body else None
    return answer if lengths or has_no_body else None
