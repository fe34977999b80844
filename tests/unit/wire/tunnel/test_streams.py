"""Heads and notes of the kinds of streams."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.streams import (
    MAX_CELLS,
    Exited,
    PtyOpen,
    Resize,
    SpeedOpen,
    SshOpen,
    TcpOpen,
    UdpOpen,
    UnixOpen,
    encode,
    parse_pty_note,
    parse_pty_open,
    parse_speed_open,
    parse_ssh_open,
    parse_tcp_open,
    parse_udp_open,
    parse_unix_open,
)

RECONNECT = "5f0c2a52-6d7b-4d1f-9a33-0a1c9b3f7e21"


def test_heads_are_read_back() -> None:
    pty = PtyOpen(reconnect=RECONNECT, command="top", height=50, width=132)
    assert parse_pty_open(encode(pty)) == pty
    assert parse_pty_open(f'{{"reconnect":"{RECONNECT}","later":1}}'.encode()) == PtyOpen(reconnect=RECONNECT)
    tcp = TcpOpen(host="::1", port=8080)
    assert parse_tcp_open(encode(tcp)) == tcp
    unix, udp, speed = UnixOpen(path="/run/x.sock"), UdpOpen(host="::1", port=53), SpeedOpen(direction="echo")
    assert parse_unix_open(encode(unix)) == unix
    assert parse_udp_open(encode(udp)) == udp
    assert parse_speed_open(encode(speed)) == speed
    assert encode(SshOpen()) == b"{}"
    assert parse_ssh_open(b'{"later":1}') == SshOpen()


def test_notes_have_their_json() -> None:
    assert encode(Resize(height=24, width=80)) == b'{"type":"resize","height":24,"width":80}'
    assert parse_pty_note(b'{"type":"resize","height":24,"width":80}') == Resize(height=24, width=80)
    assert encode(Exited(code=-9)) == b'{"type":"exited","code":-9}'
    assert parse_pty_note(b'{"type":"exited","code":-9}') == Exited(code=-9)
    assert parse_pty_note(b'{"type":"bell"}') is None


@pytest.mark.parametrize("width", [1, MAX_CELLS])
def test_size_at_its_limits(width: int) -> None:
    assert parse_pty_note(encode(Resize(height=1, width=width))) == Resize(height=1, width=width)


@pytest.mark.parametrize("width", [0, MAX_CELLS + 1])
def test_size_past_its_limits_is_refused(width: int) -> None:
    with pytest.raises(RemoteProtocolError, match="width"):
        parse_pty_note(encode(Resize(height=1, width=width)))


@pytest.mark.parametrize(
    "head", [b"", b"{}", b'{"reconnect":"x"}', b'{"host":"h","port":0}', b'{"host":"h","port":65536}']
)
def test_broken_head_is_refused(head: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_pty_open(head)
    for parse in (parse_tcp_open, parse_udp_open, parse_unix_open, parse_speed_open):
        with pytest.raises(RemoteProtocolError):
            parse(head)


def test_head_that_names_nothing_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="path"):
        parse_unix_open(b'{"path":""}')
    with pytest.raises(RemoteProtocolError, match="direction"):
        parse_speed_open(b'{"direction":"sideways"}')


@given(st.binary(max_size=100))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    parsers = (parse_pty_open, parse_tcp_open, parse_udp_open, parse_unix_open, parse_speed_open, parse_ssh_open)
    for parse in (*parsers, parse_pty_note):
        with contextlib.suppress(RemoteProtocolError):
            parse(data)
