from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_ide_bridge.cli.forward_specs import LOOPBACK, LocalPath, LocalPort, parse_ports, parse_socket


@pytest.mark.parametrize(
    ("text", "forwards"),
    [
        ("8080", [(LOOPBACK, 8080, 8080)]),
        ("8080:80", [(LOOPBACK, 8080, 80)]),
        ("1.2.3.4:8080:80", [(("1.2.3.4",), 8080, 80)]),
        ("1.2.3.4:8080", [(("1.2.3.4",), 8080, 8080)]),
        ("[::1]:8080:80", [(("::1",), 8080, 80)]),
        ("localhost:8080:80", [(LOOPBACK, 8080, 80)]),
        ("myhost:8080", [(("myhost",), 8080, 8080)]),
        (":8080", [(("0.0.0.0",), 8080, 8080)]),
        ("9090-9092", [(LOOPBACK, 9090, 9090), (LOOPBACK, 9091, 9091), (LOOPBACK, 9092, 9092)]),
        ("10000-10001:10010-10011", [(LOOPBACK, 10000, 10010), (LOOPBACK, 10001, 10011)]),
        ("8080,9000:3000, 65535", [(LOOPBACK, 8080, 8080), (LOOPBACK, 9000, 3000), (LOOPBACK, 65535, 65535)]),
    ],
)
def test_ports_are_read(text: str, forwards: list[tuple[tuple[str, ...], int, int]]) -> None:
    assert [(each.local.hosts, each.local.port, each.remote_port) for each in parse_ports(text)] == forwards


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "neither a port nor a range"),
        ("x", "neither a port nor a range"),
        ("0", "ports are from 1"),
        ("65536", "ports are from 1"),
        ("8080:", "neither"),
        ("1-2:3", "2 local ports, and 1"),
        ("9-8", "ends before it begins"),
        ("[::1:80", "brackets"),
        ("1:2:3", "neither"),
        ("8080,,1", "neither"),
    ],
)
def test_what_is_none_is_refused_in_words(text: str, wrong: str) -> None:
    with pytest.raises(click.BadParameter, match=wrong):
        parse_ports(text)


@pytest.mark.parametrize(
    ("text", "local", "remote"),
    [
        ("./a.sock:/run/b.sock", LocalPath("./a.sock"), "/run/b.sock"),
        ("2375:/run/b.sock", LocalPort(LOOPBACK, 2375), "/run/b.sock"),
        ("1.2.3.4:2375:b.sock", LocalPort(("1.2.3.4",), 2375), "b.sock"),
        ("C:\\a.sock:/run/b.sock", LocalPath("C:\\a.sock"), "/run/b.sock"),
    ],
)
def test_sockets_are_read(text: str, local: object, remote: str) -> None:
    forward = parse_socket(text)
    assert (forward.local, forward.remote_path) == (local, remote)


@pytest.mark.parametrize("text", ["", "/run/b.sock", "a:", ":b", "1-2:/run/b.sock", "0:/run/b.sock"])
def test_what_is_no_pair_of_sockets_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        parse_socket(text)


def test_addresses_are_written_as_they_are_typed() -> None:
    assert str(LocalPort(LOOPBACK, 80)) == "127.0.0.1:80"
    assert str(LocalPort(("::1",), 80)) == "[::1]:80"


@given(st.text(alphabet="0123456789-:,[].x ", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_ports, parse_socket):
        try:
            parse(text)
        except click.BadParameter:
            continue
