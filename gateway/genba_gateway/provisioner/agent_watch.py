"""Tells of agents while an apply still runs, so that they may connect before the build's job is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from genba_gateway.domain.provisioning import OnResources, ResourceSpec
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.plan_graph import PlanGraph
from genba_gateway.provisioner.resources import convert_growing_resources
from genba_gateway.provisioner.terraform_json import read_state

log = logging.getLogger(__name__)

LOOK_S: Final = 0.25
"""How often the growing state is looked at. Terraform announces a resource before it writes its state, so there is no
event to wait for; an apply that is quicker than this is told of at its end anyway."""


@asynccontextmanager
async def watching_agents(
    directory: JobDirectory, graph: str, tokens: Mapping[str, str], on_resources: OnResources | None
) -> AsyncGenerator[None, None]:
    """Watch for the length of the block; `tokens` grows meanwhile, by the agents' ids in Terraform."""
    if on_resources is None:
        yield
        return
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        watcher = tasks.create_task(_watch(directory, graph, tokens, on_resources), name="agents of an apply")
        try:
            yield
        except Exception as error:  # noqa: BLE001  # raised below as it is: the group would wrap it
            failure = error
        finally:
            watcher.cancel()
    if failure is not None:
        raise failure


async def _watch(directory: JobDirectory, graph: str, tokens: Mapping[str, str], on_resources: OnResources) -> None:
    parsed = PlanGraph.parse(graph)
    told: tuple[ResourceSpec, ...] = ()
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            resources = await asyncio.to_thread(_read, directory, parsed, dict(tokens))
            if resources != told and any(agent.token for resource in resources for agent in resource.agents):
                await on_resources(resources)
                told = resources
        except ProvisionError:
            continue  # Terraform is in the middle of writing its state
        except Exception:  # agents are told of at the apply's end anyway, so nothing here may break it off
            log.exception("agents of job %s can't be told of while it runs", directory.job_id)


def _read(directory: JobDirectory, graph: PlanGraph, tokens: Mapping[str, str]) -> tuple[ResourceSpec, ...]:
    state = directory.read_state()
    return convert_growing_resources(read_state(state), graph, tokens) if state and tokens else ()
