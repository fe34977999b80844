"""Forwarding by the user's real OpenSSH: ports, unix sockets, SOCKS, keys, X11; and many sessions in one connection."""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.ssh_workspace import HOST, LIMIT_S, SshWorkspace, running_ssh_workspace
from tests.support.waiting import wait_until

BODY = os.urandom(5_000_000)


class _Answer(socketserver.StreamRequestHandler):
    """A web server's least."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)


class _TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def answering(server: socketserver.BaseServer) -> Generator[None]:
    """Serve in a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def web_port() -> Generator[int]:
    """The port of a web server; client and workspace share the loopback."""
    server = _TcpServer(("127.0.0.1", 0), _Answer)
    with answering(server):
        yield server.server_address[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def holding(workspace: SshWorkspace, *options: str, is_ready: Callable[[], bool]) -> Generator[None]:
    """Keep a connection without a session while it forwards."""
    command = ["ssh", *workspace.options, "-N", "-o", "ExitOnForwardFailure=yes", *options, HOST]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as client:
        try:
            wait_until(lambda: is_ready() or client.poll() is not None)
            assert client.poll() is None, client.stderr.read() if client.stderr else ""
            yield
        finally:
            client.terminate()
            try:
                client.wait(timeout=5)
            except subprocess.TimeoutExpired:
                # A signal that comes right before ssh waits in poll is seen with its next event, and there is none.
                client.kill()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def fetch(workspace: SshWorkspace, *arguments: str) -> bytes:
    done = workspace.run(["curl", "-sS", "--noproxy", "", *arguments])
    assert done.returncode == 0, done.stderr.decode()
    return bytes(done.stdout)


def test_local_port_leads_into_the_workspace(workspace: SshWorkspace, web_port: int) -> None:
    port = free_port()
    with holding(workspace, "-L", f"{port}:127.0.0.1:{web_port}", is_ready=lambda: accepts(port)):
        assert fetch(workspace, f"http://127.0.0.1:{port}/") == BODY
        # A half-close is passed on: what waits for the end of its input answers.
        with socket.create_connection(("127.0.0.1", port)) as end:
            end.sendall(b"GET / HTTP/1.0\r\n\r\n")
            end.shutdown(socket.SHUT_WR)
            size = 0
            while data := end.recv(1 << 20):
                size += len(data)
            assert size > len(BODY)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_forward_is_over_when_both_ends_have_said_all(
    workspace: SshWorkspace, short_dir: Path, is_first: bool
) -> None:
    path = short_dir / "here"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(LIMIT_S)
        asked = pool.submit(answer_once, server, is_first)
        port = server.getsockname()[1]
        with (
            holding(workspace, "-L", f"{path}:127.0.0.1:{port}", is_ready=path.exists),
            socket.socket(socket.AF_UNIX) as end,
        ):
            end.settimeout(LIMIT_S)
            wait_until(lambda: end.connect_ex(str(path)) == 0)  # ssh binds it before it listens
            if is_first:
                assert read_all(end) == b"answer"
            end.sendall(b"question")
            end.shutdown(socket.SHUT_WR)
            if not is_first:
                assert read_all(end) == b"answer"
            assert asked.result() == b"question"


def test_a_stdio_forward_ends_with_a_server_that_ends_first(workspace: SshWorkspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(LIMIT_S)
        pool.submit(answer_once, server, True)
        done = workspace.ssh("-W", f"127.0.0.1:{server.getsockname()[1]}", HOST)
        assert (done.returncode, done.stdout) == (0, b"answer")


def answer_once(server: socket.socket, is_first: bool) -> bytes:
    """Serve one connection, whose ends are said before or after the client's."""
    end, _ = server.accept()
    with end:
        end.settimeout(LIMIT_S)
        question = b"" if is_first else read_all(end)
        end.sendall(b"answer")
        end.shutdown(socket.SHUT_WR)
        return question or read_all(end)


def read_all(end: socket.socket) -> bytes:
    return b"".join(iter(lambda: end.recv(1 << 16), b""))


def test_local_port_to_where_nobody_listens_is_closed(workspace: SshWorkspace) -> None:
    port, nobody = free_port(), 1
    with (
        holding(workspace, "-L", f"{port}:127.0.0.1:{nobody}", is_ready=lambda: accepts(port)),
        socket.create_connection(("127.0.0.1", port)) as end,
    ):
        end.settimeout(LIMIT_S)
        assert end.recv(1) == b""


def test_remote_port_leads_out_of_the_workspace(workspace: SshWorkspace, web_port: int) -> None:
    port = free_port()
    with holding(workspace, "-R", f"{port}:127.0.0.1:{web_port}", is_ready=lambda: accepts(port)):
        assert fetch(workspace, f"http://127.0.0.1:{port}/") == BODY
    wait_until(lambda: not accepts(port))


def test_remote_port_is_chosen_when_asked_for(workspace: SshWorkspace, web_port: int) -> None:
    done = workspace.ssh("-o", "LogLevel=INFO", "-R", f"0:127.0.0.1:{web_port}", HOST, "true")
    assert b"Allocated port " in done.stderr


def test_remote_port_that_is_taken_is_refused(workspace: SshWorkspace, web_port: int) -> None:
    done = workspace.ssh("-o", "ExitOnForwardFailure=yes", "-R", f"{web_port}:127.0.0.1:{web_port}", HOST, "true")
    assert done.returncode == 255
    assert b"remote port forwarding failed" in done.stderr


@pytest.mark.parametrize("scheme", ["socks5h", "socks4a"])
def test_socks_proxy_reaches_the_workspaces_network(workspace: SshWorkspace, web_port: int, scheme: str) -> None:
    port = free_port()
    with holding(workspace, "-D", f"127.0.0.1:{port}", is_ready=lambda: accepts(port)):
        proxy = f"{scheme}://127.0.0.1:{port}"
        assert fetch(workspace, "-x", proxy, f"http://localhost:{web_port}/") == BODY


def test_unix_sockets_lead_both_ways(workspace: SshWorkspace, short_dir: Path) -> None:
    target, local, remote = short_dir / "target", short_dir / "local", short_dir / "remote"
    with (
        answering(_UnixServer(str(target), _Answer)),
        holding(
            workspace,
            *("-L", f"{local}:{target}", "-R", f"{remote}:{target}"),
            is_ready=lambda: local.exists() and remote.exists(),
        ),
    ):
        wait_until(lambda: remote.stat().st_mode & 0o777 == 0o600)
        for path in (local, remote):
            assert fetch(workspace, "--unix-socket", str(path), "http://x/") == BODY


def test_keys_of_the_client_are_used_in_the_workspace(workspace: SshWorkspace, short_dir: Path) -> None:
    key, agent = short_dir / "key", short_dir / "agent"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mine", "-f", str(key)], check=True)
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(agent)], stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(agent.exists)
            environ = {**os.environ, "SSH_AUTH_SOCK": str(agent)}
            subprocess.run(["ssh-add", "-q", str(key)], env=environ, check=True, stderr=subprocess.DEVNULL)
            done = workspace.ssh("-o", f"IdentityAgent={agent}", "-A", HOST, "ssh-add -l; ls -l $SSH_AUTH_SOCK")
            assert b" mine (ED25519)" in done.stdout
            assert workspace.command("echo [$SSH_AUTH_SOCK]").stdout == b"[]\n"
        finally:
            process.terminate()


def test_x_windows_are_shown_by_the_client(workspace: SshWorkspace, short_dir: Path) -> None:
    seen: list[bytes] = []
    cookie = "00112233445566778899aabbccddeeff"

    class Display(socketserver.StreamRequestHandler):
        """What is sent to an X server first: byte order, version, and the cookie."""

        def handle(self) -> None:
            seen.append(self.rfile.read(12 + 20 + 16))
            self.wfile.write(b"shown")

    display = free_port()
    number = display - 6000
    authority = short_dir / "authority"
    authority.touch()
    environ = {**os.environ, "XAUTHORITY": str(authority), "DISPLAY": f"127.0.0.1:{number}"}
    add = ["xauth", "-q", "add", f"127.0.0.1:{number}", "MIT-MAGIC-COOKIE-1", cookie]
    try:
        subprocess.run(add, env=environ, check=True)
    except FileNotFoundError:
        pytest.skip("xauth is not on PATH (Debian's package xauth has it)")
    client = (
        "import os, socket, struct, subprocess; host, number = os.environ['DISPLAY'].split(':'); "
        "listed = subprocess.run(['xauth', 'list'], capture_output=True, text=True).stdout.split(); "
        "cookie = bytes.fromhex(listed[listed.index('MIT-MAGIC-COOKIE-1') + 1]); "
        "end = socket.create_connection((host, 6000 + int(number.split('.')[0]))); "
        "end.sendall(struct.pack('<BxHHHHxx', 0x6c, 11, 0, 18, 16) + b'MIT-MAGIC-COOKIE-1' + bytes(2) + cookie); "
        "print(end.recv(100))"
    )
    with answering(_TcpServer(("127.0.0.1", display), Display)):
        done = workspace.ssh("-Y", HOST, f'python3 -c "{client}"', env=environ)
    assert done.stdout.strip() == b"b'shown'", done.stderr.decode()
    assert seen[0].endswith(bytes.fromhex(cookie))


def test_one_connection_carries_many_sessions(workspace: SshWorkspace, short_dir: Path) -> None:
    shared = ["-o", f"ControlPath={short_dir / 'c'}"]
    master = ["ssh", *workspace.options, *shared, "-M", "-N", HOST]
    with subprocess.Popen(master) as process:
        try:
            wait_until((short_dir / "c").exists)
            assert workspace.ssh(*shared, "-O", "check", HOST).returncode == 0
            for code in range(5):
                assert workspace.ssh(*shared, HOST, f"exit {code}").returncode == code
            with ThreadPoolExecutor(8) as pool:
                commands = [f"head -c 1000000 /dev/zero; echo {number}" for number in range(8)]
                runs = [pool.submit(workspace.ssh, *shared, HOST, command) for command in commands]
            for number, run in enumerate(runs):
                assert run.result().stdout == bytes(1_000_000) + f"{number}\n".encode()
            wait_until(lambda: workspace.tell("counts")["connections"] == 1)
            assert workspace.ssh(*shared, "-O", "exit", HOST).returncode == 0
        finally:
            process.terminate()


def test_keys_are_exchanged_anew_while_bytes_flow(workspace: SshWorkspace) -> None:
    data = os.urandom(8_000_000)
    assert workspace.command("cat", "-o", "RekeyLimit=1M", stdin=data).stdout == data


def test_keepalives_of_the_client_are_answered(workspace: SshWorkspace) -> None:
    options = ("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1")
    assert workspace.command("sleep 3; echo here", *options).stdout == b"here\n"


def test_jump_host_is_the_workspace(workspace: SshWorkspace) -> None:
    # Behind the first hop, the same server once more, by a command of the workspace.
    relay = workspace.folder / "relay.py"
    relay.write_text(_RELAY)
    connect = f"ssh {' '.join(workspace.options)} {HOST} exec python3 {relay} {workspace.folder / 'socket'}"
    done = workspace.ssh("-o", f"ProxyCommand={connect}", "-o", "ProxyUseFdpass=no", HOST, "echo twice")
    assert done.stdout == b"twice\n", done.stderr.decode()


def test_jump_hosts_are_two_workspaces(workspace: SshWorkspace, short_dir: Path) -> None:
    with running_ssh_workspace(short_dir) as other, tcp_port(other) as second, tcp_port(workspace) as last:
        config = short_dir / "jumps"
        hosts = [
            f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias {HOST}\n  ProxyCommand none\n"
            f"  UserKnownHostsFile {known.folder / 'known_hosts'}\n"
            for name, port, known in (("second", second, other), ("last", last, workspace))
        ]
        config.write_text("".join(hosts) + workspace.config.read_text())
        # To `second` by a port that the first reaches, to `last` by one that the second reaches.
        done = workspace.run(["ssh", "-F", str(config), "-J", f"{HOST},second", "last", "cat; pwd"], stdin=b"through\0")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == b"through\0" + os.fsencode(workspace.work) + b"\n"
        wrong = config.read_text().replace(str(other.folder / "known_hosts"), str(workspace.folder / "known_hosts"))
        config.write_text(wrong)
        refused = workspace.run(["ssh", "-F", str(config), "-J", f"{HOST},second", "last", "true"])
        assert b"Host key verification failed" in refused.stderr


@contextmanager
def tcp_port(workspace: SshWorkspace) -> Generator[int]:
    """A port of loopback for a server that itself listens on a unix socket."""

    class Join(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(str(workspace.folder / "socket"))
                back = threading.Thread(target=pass_on, args=(there, self.request))
                back.start()
                pass_on(self.request, there)
                back.join()

    server = _TcpServer(("127.0.0.1", 0), Join)
    with answering(server):
        yield server.server_address[1]


def pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


_RELAY = """\
import os, socket, sys, threading
end = socket.socket(socket.AF_UNIX)
end.connect(sys.argv[1])

def send():
    while data := os.read(0, 65536):
        end.sendall(data)

threading.Thread(target=send, daemon=True).start()
while data := end.recv(65536):
    os.write(1, data)
"""
