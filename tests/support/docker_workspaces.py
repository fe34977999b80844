"""The `docker` starter on a gateway of its own, for tests with a real engine and the real provider."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.debian_packages import MissingPart
from tests.support.docker_engine import DEBIAN, DockerEngine, docker_engine, docker_provider
from tests.support.real_gateway import RealGateway, free_port, read_starter
from tests.support.vscode_editor import make_owner


@contextmanager
def engine_with(name: str, make_tar: Callable[[], Path]) -> Generator[DockerEngine]:
    """A running engine with one image; skips the test, with the reason, where there can't be one."""
    try:
        image = make_tar()
        with docker_engine() as running:
            running.make_image(name, image)
            yield running
    except MissingPart as missing:
        pytest.skip(f"no Docker engine: {missing}")


def home_with_provider(folder: Path) -> Path:
    """A home folder in which Terraform finds Docker's provider; skips the test, with the reason, without one."""
    try:
        docker_provider(folder)
    except MissingPart as missing:
        pytest.skip(f"no Docker provider: {missing}")
    return folder


@asynccontextmanager
async def gateway_for(
    engine: DockerEngine,
    home: Path,
    folder: Path,
    *,
    reachable: bool = True,
    code_server: bool = False,
    image: str = DEBIAN,
    **values: str,
) -> AsyncGenerator[tuple[RealGateway, dict[str, Any]]]:
    """A gateway on loopback, for agents on the bridge too when it shall be reachable, and the starter as a template."""
    port = free_port()
    more = ["--agent-listen", f"{engine.gateway_ip}:{port}"] if reachable else []
    environment = {"HOME": str(home), **engine.environment}
    async with RealGateway(folder, *more, port=port, allow_host_workspaces=False, environment=environment) as gateway:
        await make_owner(gateway)
        files = read_starter("docker", code_server=code_server)
        version = await gateway.import_version(files, image=image, **values)
        assert version["job"]["status"] == "succeeded", version["job"]
        body = {"name": "docker", "template_version_id": version["id"]}
        yield gateway, await gateway.fetch("POST", "/api/v2/organizations/default/templates", body)
