"""The `docker` starter with a real engine and the real provider; the executable where little else is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from genba_wire.version import VERSION_LINE
from scripts.build_agent import OUTPUT, machine_arch, prepare_executable
from tests.support.debian_packages import MissingPart
from tests.support.docker_engine import BUSYBOX, DEBIAN, DockerEngine, busybox_image, debian_image
from tests.support.docker_workspaces import engine_with, gateway_for, home_with_provider
from tests.support.real_cli import RealCli
from tests.support.real_gateway import CEILING_S

pytestmark = pytest.mark.timeout(1200)  # the first time, Debian's image and the provider are made


@pytest.fixture(scope="module")
def engine() -> Generator[DockerEngine]:
    with engine_with(DEBIAN, debian_image) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_provider(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def executable() -> Path:
    if prepare_executable() is None:
        pytest.skip("the executable can't be assembled here")
    return OUTPUT / f"genba-linux-{machine_arch()}"


def read_logs_until(engine: DockerEngine, container: str, word: str) -> str:
    """What a container prints, when the word has come."""
    deadline = time.monotonic() + CEILING_S
    while word not in (said := engine.run("logs", container)):
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
    return said


async def test_the_home_stays_over_stop_and_start_and_goes_with_the_workspace(
    engine: DockerEngine, home: Path, short_dir: Path
) -> None:
    async with gateway_for(engine, home, short_dir / "gateway") as (gateway, template):
        workspace = await gateway.create_workspace("demo", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert build["job"]["status"] == "succeeded", build["job"]
        agent = await gateway.wait_for_agent(workspace["id"])
        logs = await gateway.fetch("GET", f"/api/v2/workspaceagents/{agent['id']}/logs")
        assert "Home:     /home/developer" in [line["output"] for line in logs]
        cli = RealCli(short_dir / "cli", gateway)
        said = await cli.run("terminal", "demo", "--", "cat /etc/hostname; pwd; echo kept >~/kept; echo gone >/gone")
        assert said.out.replace("\r", "").splitlines() == ["demo", "/home/developer"]
        (container,) = await asyncio.to_thread(lambda: engine.run("ps", "-q", "--no-trunc").split())
        inside = engine.inspect(container)[0]
        (token,) = [each.partition("=")[2] for each in inside["Config"]["Env"] if each.startswith("CODER_AGENT_TOKEN=")]
        assert token not in " ".join(inside["Config"]["Entrypoint"])

        stopped = await gateway.build(workspace["id"], "stop")
        assert stopped["job"]["status"] == "succeeded", stopped["job"]
        assert engine.run("ps", "-aq").split() == []
        volume = f"genba-{workspace['id']}-home"
        assert engine.run("volume", "ls", "-q").split() == [volume]

        started = await gateway.build(workspace["id"], "start")
        assert started["job"]["status"] == "succeeded", started["job"]
        await gateway.wait_for_agent(workspace["id"])
        said = await cli.run("terminal", "demo", "--", "cat ~/kept; test -e /gone || echo gone")
        assert said.out.split() == ["kept", "gone"]
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]
        assert engine.run("ps", "-aq").split() == []
        assert engine.run("volume", "ls", "-q").split() == []


async def test_a_gateway_on_loopback_alone_is_named_with_the_remedy(
    engine: DockerEngine, home: Path, short_dir: Path
) -> None:
    async with gateway_for(engine, home, short_dir / "gateway", reachable=False) as (gateway, template):
        workspace = await gateway.create_workspace("demo", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert build["job"]["status"] == "succeeded", build["job"]
        (container,) = engine.run("ps", "-q").split()
        said = await asyncio.to_thread(read_logs_until, engine, container, "failed")
        assert "genba: TCP failed: " in said
        assert "--agent-listen" in said
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded", deleted["job"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--user", "4242:4242"],
        ["--read-only", "--tmpfs", "/tmp:noexec,size=200m", "--tmpfs", "/dev/shm:exec,size=200m"],
        ["--env", "HOME=/nonexistent", "--user", "4242:4242", "--network", "none"],
    ],
    ids=["root", "another user", "noexec", "no home, no network"],
)
@pytest.mark.parametrize("image", [DEBIAN, BUSYBOX])
def test_the_executable_starts_in_an_image_with_little_in_it(
    engine: DockerEngine, executable: Path, image: str, options: list[str]
) -> None:
    if image == BUSYBOX:
        try:
            engine.make_image(BUSYBOX, busybox_image())
        except MissingPart as missing:
            pytest.skip(str(missing))
    mount = f"{executable.resolve()}:/genba:ro"
    said = engine.run("run", "--rm", "--volume", mount, *options, image, "/bin/sh", "/genba", "version")
    # Docker warns on stderr, which comes after, where the machine forwards nothing.
    assert said.startswith(VERSION_LINE + "\n")
