from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from genba_ide_bridge.cli.forward_specs import LOOPBACK, LocalPath, LocalPort
from genba_ide_bridge.cli.local_sockets import bind_path, bind_port, remove_path
from genba_ide_bridge.errors import BridgeError


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_taken_port_is_said_in_a_sentence(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port: int = taken.getsockname()[1]
        with pytest.raises(BridgeError, match=f"Another program on this machine has 127.0.0.1:{port}") as error:
            bind_port(LocalPort(LOOPBACK, port), kind)
        assert "Name another local port" in error.value.hint


def test_port_is_bound_on_each_address_that_there_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port: int = once.getsockname()[1]
    ends = bind_port(LocalPort(LOOPBACK, port), socket.SOCK_STREAM)
    assert [end.getsockname()[1] for end in ends] == [port] * len(ends)
    assert ends[0].getsockname()[0] == "127.0.0.1"
    for end in ends:
        end.close()


def test_address_of_another_machine_is_refused() -> None:
    with pytest.raises(BridgeError, match=r"Can't listen on 192\.0\.2\.1:8080"):
        bind_port(LocalPort(("192.0.2.1",), 8080), socket.SOCK_STREAM)


def test_unix_socket_is_for_its_user_alone_and_replaces_a_dead_one(short_dir: Path) -> None:
    local = LocalPath(str(short_dir / "a.sock"))
    bind_path(local).close()
    with bind_path(local):
        assert stat.S_IMODE(os.stat(local.path).st_mode) == 0o600
        with pytest.raises(BridgeError, match="Can't listen on"):
            bind_path(local)
    remove_path(local)
    assert not Path(local.path).exists()
    remove_path(local)


def test_file_is_not_replaced(short_dir: Path) -> None:
    path = short_dir / "precious"
    path.write_text("keep")
    with pytest.raises(BridgeError, match="Can't listen on"):
        bind_path(LocalPath(str(path)))
    assert path.read_text() == "keep"
