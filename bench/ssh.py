"""SSH through the gateway against SSH without it: bulk, files, and how soon a command is done.

* ssh.efficiency: a download over the same through three processes that only copy, to the agent's server
* ssh.bulk_ratio, sftp.get_ratio, sftp.put_ratio: over OpenSSH to its own sshd, with the same cipher
* ssh.true_ratio, ssh.true_max_ratio: `ssh host true` over the same to a local sshd; and the slowest of 100
* agent.session_mib: the agent with one session
"""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.figures import Benchmark, Figure, median, note
from bench.relay import find_agent, read_line, run_role
from scripts.build_agent import OUTPUT, machine_arch, prepare_executable
from tests.support.debian_packages import require_program
from tests.support.real_cli import RealCli
from tests.support.real_gateway import RealGateway, clean_environment, read_starter

MIB = 1024 * 1024
SIZE_BYTES = 256 * MIB
TURNS = 5
COMMANDS = 100
CIPHER = "aes128-gcm@openssh.com"
LIMIT_S = 120.0


async def measure(folder: Path) -> Sequence[Figure]:
    """Measure all of it in one workspace."""
    sshd = await asyncio.to_thread(require_program, "sshd", "openssh-server")
    if await asyncio.to_thread(prepare_executable) is None:
        raise RuntimeError("there is no executable to measure")
    async with RealGateway(folder / "gateway") as gateway, AsyncExitStack() as stack:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        workspace = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        await gateway.wait_for_agent(workspace["id"])
        ways = Ways(folder, RealCli(folder / "cli", gateway))
        await ways.prepare()
        # First, since a transfer leaves memory behind that is used again.
        memory = await _measure_memory(ways, gateway)
        await stack.enter_async_context(_running_sshd(sshd, folder, ways))
        server = await stack.enter_async_context(run_role("asyncssh", folder))
        port = (await read_line(server))["port"]
        for _ in range(3):
            copier = await stack.enter_async_context(run_role("copier", int(port)))
            port = (await read_line(copier))["port"]
        ways.ports["copied"] = int(port)
        figures = [
            *await _measure_bulk(ways),
            *await _measure_files(ways, folder),
            *await _measure_commands(ways),
            memory,
        ]
        await stack.aclose()
        await gateway.build(workspace["id"], "delete")
    return figures


class Ways:
    """The user's ssh, and the hosts that it goes to: `genba.demo`, `sshd`, `copied`."""

    def __init__(self, folder: Path, cli: RealCli) -> None:
        self.ports: dict[str, int] = {}
        self.key = folder / "key"
        self._folder = folder
        self._cli = cli
        self.environment = cli.environment

    async def prepare(self) -> None:
        """Make a key, and have the authority for host keys written down."""
        made = await asyncio.create_subprocess_exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
        assert await made.wait() == 0
        await self._cli.run("ssh", "demo", "--", "true")

    async def command(self, program: str, host: str, *words: str) -> list[str]:
        """The words of `ssh` or `sftp` to a host."""
        config = self._folder / f"config-{host}"
        genba = shlex.quote(str(OUTPUT / f"genba-linux-{machine_arch()}"))
        lines = [f"Host {host}", f"  Ciphers {CIPHER}", "  ServerAliveInterval 0", f"  IdentityFile {self.key}"]
        if host in self.ports:
            lines += ["  HostName 127.0.0.1", f"  Port {self.ports[host]}", "  LogLevel ERROR"]
            lines += ["  StrictHostKeyChecking no", "  UserKnownHostsFile /dev/null"]
        else:
            lines += ["  HostName %h._of.admin", f"  ProxyCommand {genba} ssh --stdio --ssh-host-prefix genba. %h"]
            lines += ["  StrictHostKeyChecking yes", f"  UserKnownHostsFile {self._folder}/cli/known_hosts"]
        await asyncio.to_thread(config.write_text, "\n".join(lines) + "\n")
        return [program, "-F", str(config), *words]

    async def time(self, program: str, host: str, *words: str, stdin: bytes = b"") -> float:
        """Run it to its end; seconds."""
        command = await self.command(program, host, *words)
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command, env=self.environment, stdin=PIPE, stdout=DEVNULL, stderr=PIPE
        )
        async with asyncio.timeout(LIMIT_S):
            _, said = await process.communicate(stdin)
        if process.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)} ended with {process.returncode}: {said.decode()}")
        return time.monotonic() - began


async def _measure_bulk(ways: Ways) -> list[Figure]:
    hosts = ("genba.demo", "copied", "sshd")
    seconds: dict[str, list[float]] = {host: [] for host in hosts}
    for turn in range(TURNS + 1):
        for host in hosts:
            took = await ways.time("ssh", host, host, f"head -c {SIZE_BYTES} /dev/zero")
            if turn:  # the first one warms up
                seconds[host].append(took)
    speeds = {host: [SIZE_BYTES / 1e6 / each for each in its] for host, its in seconds.items()}
    note("ssh.bulk_ratio: " + ", ".join(f"{host} {' '.join(f'{v:.0f}' for v in s)} MB/s" for host, s in speeds.items()))
    mine = speeds["genba.demo"]
    return [
        Figure("ssh.efficiency", _ratio(mine, speeds["copied"]), "x", TURNS, median(speeds["copied"]), "MB/s"),
        Figure("ssh.bulk_ratio", _ratio(mine, speeds["sshd"]), "x", TURNS, median(speeds["sshd"]), "MB/s"),
    ]


async def _measure_files(ways: Ways, folder: Path) -> list[Figure]:
    content, back = folder / "content", folder / "back"
    await asyncio.to_thread(content.write_bytes, os.urandom(SIZE_BYTES))
    figures: list[Figure] = []
    for name, line in (("sftp.get_ratio", f"get {content} {back}"), ("sftp.put_ratio", f"put {content} {back}")):
        speeds: dict[str, list[float]] = {"genba.demo": [], "sshd": []}
        for turn in range(TURNS + 1):
            for host, its in speeds.items():
                took = await ways.time("sftp", host, "-b", "-", host, stdin=line.encode())
                if turn:
                    its.append(SIZE_BYTES / 1e6 / took)
        base = median(speeds["sshd"])
        figures.append(Figure(name, _ratio(speeds["genba.demo"], speeds["sshd"]), "x", TURNS, base, "MB/s"))
    return figures


async def _measure_commands(ways: Ways) -> list[Figure]:
    mine: list[float] = []
    base: list[float] = []
    for turn in range(COMMANDS + 1):
        took = (
            await ways.time("ssh", "genba.demo", "genba.demo", "true"),
            await ways.time("ssh", "sshd", "sshd", "true"),
        )
        if turn:
            mine.append(took[0] * 1000)
            base.append(took[1] * 1000)
    note(f"ssh.true_ratio: median {median(mine):.0f} ms, slowest {max(mine):.0f} ms; sshd {median(base):.0f} ms")
    return [
        Figure("ssh.true_ratio", _ratio(mine, base), "x", COMMANDS, median(base), "ms"),
        Figure("ssh.true_max_ratio", max(mine) / median(base), "x", COMMANDS, median(base), "ms"),
    ]


async def _measure_memory(ways: Ways, gateway: RealGateway) -> Figure:
    command = await ways.command("ssh", "genba.demo", "genba.demo", "echo here; cat")
    process = await asyncio.create_subprocess_exec(*command, env=ways.environment, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        assert await process.stdout.readline() == b"here\n"
        mib = find_agent(gateway.url).memory_info().rss / MIB
        await process.communicate(b"")
    return Figure("agent.session_mib", mib, "MiB", 1)


@asynccontextmanager
async def _running_sshd(sshd: str, folder: Path, ways: Ways) -> AsyncGenerator[Process]:
    """A server of OpenSSH for the key of `ways`; in a folder of its own, since sshd is strict about those."""
    with tempfile.TemporaryDirectory(prefix="genba-sshd-") as place:
        home = Path(place)
        made = await asyncio.create_subprocess_exec(
            "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "host")
        )
        assert await made.wait() == 0
        await asyncio.to_thread(Path("/run/sshd").mkdir, exist_ok=True)
        port = ways.ports["sshd"] = _free_port()
        options = {
            "AuthorizedKeysFile": f"{ways.key}.pub",
            "StrictModes": "no",
            "UsePAM": "no",
            "Subsystem": "sftp internal-sftp",
            "PidFile": "none",
            "MaxStartups": "100",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        command = [sshd, "-D", "-e", "-f", "/dev/null", "-p", str(port), "-h", str(home / "host"), *words]
        process = await asyncio.create_subprocess_exec(
            *command, "-o", "ListenAddress=127.0.0.1", env=clean_environment(), stderr=DEVNULL
        )
        try:
            await asyncio.sleep(0.5)
            yield process
        finally:
            process.terminate()
            await process.wait()


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _ratio(mine: Sequence[float], base: Sequence[float]) -> float:
    return median([one / other for one, other in zip(mine, base, strict=True)])


BENCHMARK = Benchmark(
    (
        "ssh.efficiency",
        "ssh.bulk_ratio",
        "sftp.get_ratio",
        "sftp.put_ratio",
        "ssh.true_ratio",
        "ssh.true_max_ratio",
        "agent.session_mib",
    ),
    measure,
)
