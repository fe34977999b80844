from __future__ import annotations

import asyncio

from genba_gateway.domain.channels import of_workspace
from genba_gateway.loops.restart import Restart
from tests.support.workshop import CEILING_S, Workshop


async def test_the_end_of_a_stop_is_enough_for_the_start_to_follow(workshop: Workshop) -> None:
    workspace = await workshop.add_workspace(await workshop.add_template(), "dev")
    loop = Restart(workshop.services.restarts, workshop.pubsub)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(loop.run(), name="restarts")
        await workshop.services.restarts.restart(workshop.member.actor, workspace["id"])
        with workshop.pubsub.subscribe(of_workspace(workspace["id"])) as subscription:
            await workshop.run_next()
            while (await workshop.get(workshop.member, f"/workspaces/{workspace['id']}")).body["latest_build"][
                "transition"
            ] != "start":
                await subscription.changed()
        running.cancel()
    assert loop.failed_steps == 0
