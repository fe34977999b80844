from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.files import (
    FileChange,
    FileEntry,
    FileMatch,
    FileOpen,
    FileStat,
    encode,
    escape_path,
    parse_file_change,
    parse_file_entry,
    parse_file_match,
    parse_file_open,
    parse_file_stat,
    unescape_path,
)

FOUND = FileStat(type="link", size=3, mode=0o777, mtime_ns=5, target="there")


def test_messages_are_read_back() -> None:
    request = FileOpen(op="write", path="a/b", size=3, mode=0o600, mtime_ns=-1, part="abc123")
    assert parse_file_open(encode(request)) == request
    assert encode(FileOpen(op="list", path="x")) == b'{"op":"list","path":"x"}'
    assert parse_file_stat(encode(FOUND)) == FOUND
    entry = FileEntry(name="n", stat=FOUND)
    assert parse_file_entry(encode(entry)) == entry
    match = FileMatch(path="p", line=1, column=0, text="t")
    assert parse_file_match(encode(match)) == match
    change = FileChange(type="created", path="p")
    assert parse_file_change(encode(change)) == change


@pytest.mark.parametrize(
    "more",
    ['"op":"format"', '"offset":-1', '"size":-1', '"mode":4096', '"part":"../x"', '"part":"' + "a" * 33 + '"'],
)
def test_request_that_makes_no_sense_is_refused(more: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_file_open(b'{"op":"stat","path":"x",' + more.encode() + b"}")


def test_bytes_that_are_no_utf8_are_escaped() -> None:
    assert escape_path("für/日本".encode()) == "für/日本"
    assert escape_path(b"a\xffb") == "a\0ffb"
    assert unescape_path("a\0ffb") == b"a\xffb"
    assert unescape_path("a\0zz") == b"a\0zz"


@given(st.binary(max_size=60).map(lambda path: path.replace(b"\0", b"")))
def test_any_path_is_read_back(path: bytes) -> None:
    assert unescape_path(parse_file_open(encode(FileOpen(op="stat", path=escape_path(path)))).path) == path


@given(st.binary(max_size=100))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    for parse in (parse_file_open, parse_file_stat, parse_file_entry, parse_file_match):
        with contextlib.suppress(RemoteProtocolError):
            parse(data)
