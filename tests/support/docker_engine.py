"""A real Docker engine for tests: its own dockerd, bridge and folders beside whatever the machine has.

No image can be pulled where tests run, so they are made: debootstrap's smallest Debian with curl or with what compiles
code-server, and busybox alone.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scripts.build_agent import machine_arch
from tests.support.debian_packages import MissingPart, require_program
from tests.support.kept_peers import keep_peer

DEBIAN: Final = "genba-test/debian:bookworm"
COMPILERS: Final = "genba-test/debian-npm:bookworm"
BUSYBOX: Final = "genba-test/busybox:latest"

PROVIDER_VERSION: Final = "v0.0.0-20260916201441-96d331c98ff4"
PROVIDER_MODULE: Final = "github.com/terraform-providers/terraform-provider-docker"
GO_MOD: Final = f"""\
module genba.test/provider

go 1.24

require {PROVIDER_MODULE} v0.0.0

replace {PROVIDER_MODULE} => github.com/kreuzwerker/terraform-provider-docker {PROVIDER_VERSION}
"""
"""Its own go.mod declares its former path, so that `go install` refuses."""

RELEASE: Final = "3.6.2"
"""What Terraform is told that it is; a commit after that release."""

START_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 60.0
STEP_LIMIT_S: Final = 900


@dataclass(frozen=True, slots=True)
class DockerEngine:
    """A running engine; `gateway_ip` is this machine as containers see it."""

    host: str
    gateway_ip: str

    @property
    def environment(self) -> dict[str, str]:
        """What makes Docker's own clients, and Terraform's provider, use it."""
        return {"DOCKER_HOST": self.host}

    def run(self, *arguments: str, limit_s: float = 120, check: bool = True) -> str:
        """Run a `docker` command; what it printed.

        Raises:
            AssertionError: it failed, with what it said.
        """
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout + done.stderr

    def inspect(self, *arguments: str) -> Any:
        """`docker inspect`, decoded."""
        return json.loads(self.run("inspect", *arguments))

    def make_image(self, name: str, tar: Path) -> None:
        """Import the tar of a root folder as an image."""
        self.run("import", str(tar), name, limit_s=300)

    def extend_image(self, base: str, name: str, files: Mapping[str, Path], environment: Mapping[str, str]) -> None:
        """Make an image of another one, with more files and variables."""
        container = f"makes-{secrets.token_hex(4)}"
        self.run("create", "--name", container, base, "true")
        for inside, file in files.items():
            self.run("cp", "--follow-link", str(file), f"{container}:{inside}")
        changes = [f"--change=ENV {variable}={value}" for variable, value in environment.items()]
        self.run("commit", *changes, container, name)
        self.run("rm", container)


@contextmanager
def docker_engine() -> Generator[DockerEngine]:
    """Start an engine; at the end nothing of it is left.

    Raises:
        MissingPart: it can't run here; says why.
    """
    for program, package in (("dockerd", "docker.io"), ("docker", "docker.io"), ("ip", "iproute2")):
        require_program(program, package)
    if os.geteuid() != 0:
        raise MissingPart("a Docker engine of one's own needs root")
    folder = Path(tempfile.mkdtemp(prefix="gd-", dir="/tmp"))
    network = f"10.{secrets.randbelow(100) + 100}.{secrets.randbelow(250)}"
    try:
        with _bridge(f"gnb{secrets.token_hex(3)}", f"{network}.1/24") as bridge:
            engine = DockerEngine(f"unix://{folder}/docker.sock", f"{network}.1")
            with _dockerd(folder, bridge, engine):
                yield engine
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _bridge(name: str, address: str) -> Generator[str]:
    """A network bridge of our own, so that an engine that runs here keeps its docker0."""
    made = subprocess.run(["ip", "link", "add", "name", name, "type", "bridge"], capture_output=True, check=False)
    if made.returncode != 0:
        raise MissingPart(f"no network bridge can be made here ({made.stderr.decode().strip()})")
    try:
        subprocess.run(["ip", "addr", "add", address, "dev", name], check=True)
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)


@contextmanager
def _dockerd(folder: Path, bridge: str, engine: DockerEngine) -> Generator[None]:
    log = folder / "dockerd.log"
    command = [
        *("dockerd", "--host", engine.host, "--bridge", bridge, "--host-gateway-ip", engine.gateway_ip),
        *("--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")),
        *("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false"),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_LIMIT_S
        while not engine.run("version", "--format", "{{.Server.Version}}", check=False)[:1].isdigit():
            if process.poll() is not None or time.monotonic() > deadline:
                raise MissingPart(f"dockerd does not start here: {_last_line(log)}")
            time.sleep(0.1)
        yield
    finally:
        for container in engine.run("ps", "-aq", check=False).split():
            engine.run("rm", "-f", container, check=False)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _last_line(log: Path) -> str:
    return next(iter(log.read_text(errors="replace").strip().splitlines()[-1:]), "it says nothing")


def debian_image() -> Path:
    """The tar of a Debian with curl and little else; kept in the cache.

    Raises:
        MissingPart: debootstrap can't make it here.
    """
    return _debootstrap("debian-bookworm-curl", "curl")


def compilers_image() -> Path:
    """The tar of a Debian with all that code-server's installation from npm asks for; kept in the cache.

    Raises:
        MissingPart: debootstrap or apt can't make it here.
    """
    return _debootstrap(
        "debian-bookworm-npm", "ca-certificates", "curl", "g++", "libkrb5-dev", "make", "npm", "python3"
    )


def _debootstrap(name: str, *packages: str) -> Path:
    debootstrap = require_program("debootstrap", "debootstrap")

    def make(folder: Path) -> None:
        _run([debootstrap, "--variant=minbase", "bookworm", str(folder)])
        # Not by debootstrap, which leaves out what a package needs by another name, as most of npm's do.
        apt = ["chroot", str(folder), "apt-get", "-qq", "-o", "APT::Sandbox::User=root"]
        _run([*apt, "update"])
        _run([*apt, "install", "-y", "--no-install-recommends", *packages])
        shutil.rmtree(folder / "var" / "cache" / "apt")
        shutil.rmtree(folder / "var" / "lib" / "apt" / "lists")

    return _kept_tar(name, make)


def busybox_image() -> Path:
    """The tar of a root with busybox, and nothing that isn't busybox.

    Raises:
        MissingPart: there is no static busybox to be had.
    """
    busybox = Path(require_program("busybox", "busybox-static"))
    if b"dynamically" in subprocess.run(["file", "-L", busybox], capture_output=True, check=False).stdout:
        raise MissingPart("busybox is not Debian's busybox-static")

    def make(folder: Path) -> None:
        (folder / "bin").mkdir()
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)
        shutil.copy(busybox, folder / "bin" / "busybox")
        for name in _run([str(busybox), "--list"]).split():
            if name != "busybox":
                (folder / "bin" / name).symlink_to("busybox")

    return _kept_tar("busybox", make)


def docker_provider(home: Path) -> None:
    """Lay kreuzwerker's Docker provider where a Terraform with this home folder finds it without a registry.

    Raises:
        MissingPart: it can't be built here.
    """
    program = _build_provider()
    place = home / f".terraform.d/plugins/registry.terraform.io/kreuzwerker/docker/{RELEASE}/linux_{machine_arch()}"
    place.mkdir(parents=True)
    (place / f"terraform-provider-docker_v{RELEASE}").symlink_to(program)


def _build_provider() -> Path:
    def build(work: Path) -> Path:
        if shutil.which("go") is None:
            raise MissingPart("kreuzwerker/docker is built with Go, which is not on PATH")
        (work / "go.mod").write_text(GO_MOD)
        _run(["go", "build", "-mod=mod", "-o", "provider", PROVIDER_MODULE], work)
        return work / "provider"

    return keep_peer(f"terraform-provider-docker-{PROVIDER_VERSION}", build)


def _kept_tar(name: str, make: Callable[[Path], None]) -> Path:
    def pack(work: Path) -> Path:
        root = work / "root"
        root.mkdir()
        make(root)
        _run(["tar", "-C", str(root), "-cf", str(work / "tar"), "."])
        return work / "tar"

    return keep_peer(f"{name}.tar", pack)


def _run(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=STEP_LIMIT_S, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise MissingPart(f"{command[0]} failed: {said[-1] if said else done.returncode}")
    return done.stdout
