"""A running workspace behind a real gateway, and what signs the command line in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.real_gateway import RealGateway, read_starter


@asynccontextmanager
async def demo_workspace(folder: Path) -> AsyncGenerator[tuple[RealGateway, dict[str, str]]]:
    """A running workspace `demo`, and what signs the command line in."""
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("host", read_starter("host"))
        made = await gateway.create_workspace("demo", template["id"])
        await gateway.wait_for_build(made["latest_build"]["id"])
        await gateway.wait_for_agent(made["id"])
        yield gateway, {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": gateway.token}
        deleted = await gateway.build(made["id"], "delete")
        assert deleted["job"]["status"] == "succeeded"
