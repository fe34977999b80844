"""Agents told of while an apply runs: nothing that goes wrong here may break the apply off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import ResourceSpec
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner import agent_watch
from genba_gateway.provisioner.agent_watch import watching_agents
from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.terraform_json import read_state

CEILING_S = 30.0
GRAPH = """digraph {
  "[root] coder_agent.main (expand)" [label = "coder_agent.main"]
  "[root] terraform_data.dev (expand)" [label = "terraform_data.dev"]
  "[root] terraform_data.dev (expand)" -> "[root] coder_agent.main (expand)"
}"""


def resource(kind: str, name: str, **attributes: object) -> dict[str, object]:
    return {"mode": "managed", "type": kind, "name": name, "instances": [{"attributes": attributes}]}


WHOLE_STATE = json.dumps(
    {
        "version": 4,
        "serial": 1,
        "resources": [
            resource("coder_agent", "main", id="a", os="linux", arch="amd64", token="t"),
            resource("terraform_data", "dev", id="d"),
        ],
    }
).encode()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobDirectory:
    monkeypatch.setattr(agent_watch, "LOOK_S", 0.001)
    made = JobDirectory(tmp_path / "jobs" / "j", "j")
    made.create()
    return made


async def test_a_failure_of_the_apply_comes_out_as_it_is(directory: JobDirectory) -> None:
    async def on_resources(_resources: Sequence[ResourceSpec]) -> None: ...

    with pytest.raises(ProvisionError, match="apply failed"):
        async with watching_agents(directory, GRAPH, {}, on_resources):
            raise ProvisionError("apply failed")


async def test_a_state_that_is_half_written_is_looked_at_again(
    directory: JobDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.state_path.write_bytes(WHOLE_STATE[:50])
    told: asyncio.Queue[Sequence[ResourceSpec]] = asyncio.Queue()
    loop, torn = asyncio.get_running_loop(), asyncio.Event()

    def read(data: bytes) -> object:
        try:
            return read_state(data)
        except ProvisionError:
            loop.call_soon_threadsafe(torn.set)
            raise

    monkeypatch.setattr(agent_watch, "read_state", read)
    async with asyncio.timeout(CEILING_S), watching_agents(directory, GRAPH, {"a": "t"}, told.put):
        await torn.wait()
        directory.state_path.write_bytes(WHOLE_STATE)
        resources = await told.get()
    assert [agent.token for each in resources for agent in each.agents] == ["t"]


async def test_an_apply_goes_on_when_its_agents_can_not_be_stored(directory: JobDirectory) -> None:
    directory.state_path.write_bytes(WHOLE_STATE)
    problems: list[Exception] = [OSError("disk full")]
    stored: asyncio.Queue[Sequence[ResourceSpec]] = asyncio.Queue()

    async def on_resources(resources: Sequence[ResourceSpec]) -> None:
        if problems:
            raise problems.pop()
        stored.put_nowait(resources)

    async with asyncio.timeout(CEILING_S), watching_agents(directory, GRAPH, {"a": "t"}, on_resources):
        assert await stored.get(), "told again after the failure"
