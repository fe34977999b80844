"""A host certificate of the gateway's, as the user's own OpenSSH judges it."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import asyncssh
import pytest

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.ssh_host_names import SshHostNames
from genba_gateway.services.ssh_host_authority import SshHostAuthority
from genba_gateway.services.ssh_host_certificates import SshHostCertificates
from genba_gateway.store.sealing import KEY_BYTES, Sealer
from tests.support.database import make_database

CEILING_S = 30.0
ACTOR = AgentActor("a1", "Main", "w1", "dev", "u1", "Alice", "b1")


class OpenServer(asyncssh.SSHServer):
    """Lets everybody in."""

    def begin_auth(self, username: str) -> bool:
        """No authentication is needed."""
        return False


def greet(process: asyncssh.SSHServerProcess[str]) -> None:
    process.stdout.write("hello\n")
    process.exit(0)


def make_host_key(kind: str) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(kind)  # pyright: ignore[reportUnknownMemberType]  # its options are untyped


async def run_ssh(known_hosts: Path, port: int, name: str) -> tuple[int, str]:
    """Call a name strictly; HostKeyAlias stands for the ProxyCommand, since the name is checked alike."""
    options = {
        "UserKnownHostsFile": known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "HostName": "127.0.0.1",
        "HostKeyAlias": name,
        "BatchMode": "yes",
        "IdentityFile": "none",
        "IdentityAgent": "none",
    }
    arguments = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    process = await asyncio.create_subprocess_exec(
        *("ssh", "-T", "-F", "/dev/null", "-p", str(port), *arguments, name),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(known_hosts.parent)},
    )
    out, err = await process.communicate()
    return process.returncode or 0, (out + err).decode()


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_openssh_believes_the_workspace_its_own_names_and_no_others(kind: str, tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    now = datetime.now(UTC)
    sealer = Sealer({"k": b"k" * KEY_BYTES})
    service = SshHostCertificates(
        database, SshHostAuthority(database, sealer, lambda: now), SshHostNames(), lambda: now
    )
    host_key = await asyncio.to_thread(make_host_key, kind)
    public = host_key.export_public_key("openssh").decode()
    certificate = asyncssh.import_certificate((await service.issue(ACTOR, public))[0])
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"@cert-authority * {await service.get_authority()}\n")
    await database.close()
    async with asyncio.timeout(CEILING_S):
        server = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=OpenServer, server_host_keys=[(host_key, certificate)], process_factory=greet
        )
        async with server:
            port = server.get_port()
            for name in (
                "genba.dev._of.alice",
                "genba.alice--dev.main",
                "coder-vscode.127.0.0.1--alice--dev.main",
                "main.dev.genba._of.alice",
            ):
                assert await run_ssh(known_hosts, port, name) == (0, "hello\n"), name
            for name in (
                "genba.dev",
                "genba.dev._of.bob",
                "genba.dev2._of.alice",
                "genba.bob--dev",
                "coder-vscode.127.0.0.1--malice--dev.main",
                "main.dev.bob.genba",
            ):
                code, said = await run_ssh(known_hosts, port, name)
                assert (code, "name is not a listed principal" in said) == (255, True), (name, said)
