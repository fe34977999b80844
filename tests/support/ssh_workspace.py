"""A workspace's SSH server in a process of its own, and OpenSSH's programs pointed at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

LIMIT_S: Final = 60
"""How long a client may take for anything that a test makes it do."""

HOST: Final = "here.genba"

_CONNECT: Final = """\
import socket, sys
end = socket.socket(socket.AF_UNIX)
end.connect(sys.argv[1])
socket.send_fds(socket.socket(fileno=1), [b"x"], [end.fileno()])
"""
"""A ProxyCommand that hands ssh the connection itself (ProxyUseFdpass)."""


class SshWorkspace:
    """Where the server is, and how to reach it."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.work = folder / "work"
        self.config = folder / "ssh_config"
        self.process = process
        connect = folder / "connect.py"
        connect.write_text(_CONNECT)
        ca_key = (folder / "ca.pub").read_text().strip()
        (folder / "known_hosts").write_text(f"@cert-authority *.genba {ca_key}\n")
        self.config.write_text(
            f"Host *\n"
            f"  ProxyCommand {sys.executable} -IS {connect} {folder / 'socket'}\n"
            f"  ProxyUseFdpass yes\n"
            f"  StrictHostKeyChecking yes\n"
            f"  UserKnownHostsFile {folder / 'known_hosts'}\n"
            f"  GlobalKnownHostsFile /dev/null\n"
            f"  IdentityAgent none\n"
            f"  IdentityFile none\n"
            f"  BatchMode yes\n"
            f"  LogLevel ERROR\n"
        )

    @property
    def options(self) -> list[str]:
        """Arguments for ssh, scp and sftp."""
        return ["-F", str(self.config)]

    def ssh(self, *arguments: str, stdin: bytes = b"", **settings: Any) -> subprocess.CompletedProcess[bytes]:
        """Run ssh with options, and a command after the host."""
        return self.run(["ssh", *self.options, *arguments], stdin=stdin, **settings)

    def run(self, command: Sequence[str], *, stdin: bytes = b"", **settings: Any) -> subprocess.CompletedProcess[bytes]:
        """Run a client; it may fail."""
        settings.setdefault("capture_output", True)
        return subprocess.run(command, input=stdin, timeout=LIMIT_S, check=False, **settings)

    def command(self, command: str, *options: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command in the workspace."""
        return self.ssh(*options, HOST, command, stdin=stdin)

    def tell(self, command: str) -> Any:
        """Give the server's process a command, and return its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@contextmanager
def running_ssh_workspace(folder: Path, **options: Any) -> Generator[SshWorkspace]:
    """Start the server; its host key is certified by an authority of the test.

    Args:
        folder: a short path, for sockets.
        options: `environ`, `banners`, `blocks`.
    """
    for name in ("ca", "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name], check=True)
    sign = ["ssh-keygen", "-q", "-s", str(folder / "ca"), "-I", "here", "-h", "-n", HOST, str(folder / "host_key.pub")]
    subprocess.run(sign, check=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.ssh_workspace_process", str(folder), json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield SshWorkspace(folder, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            status = process.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        if process.stdout is not None:
            process.stdout.close()
    assert status == 0, "the server's process failed: its error output says how"
