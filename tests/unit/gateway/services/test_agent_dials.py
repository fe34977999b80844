"""Dials that are answered, refused, or not answered at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_gateway.domain.session_grants import Purpose
from genba_gateway.errors import AgentUnreachable, NotFound, Unauthenticated
from genba_gateway.services.agent_dials import Control
from genba_wire.aio.websocket_carrier import WebSocketCarrier
from genba_wire.tunnel.control import Dial
from tests.support.agent_rows import open_agent_rows
from tests.support.carriers import CEILING_S
from tests.support.links import Hosts
from tests.support.session_world import SessionWorld, session_world


async def dial(world: SessionWorld) -> str:
    """Dial, and give up the carrier at once; the process that answered."""
    async with world.dials.dial(world.agent.actor.agent_id, Purpose.TUNNEL) as dialled:
        assert isinstance(dialled.end, WebSocketCarrier)
        dialled.end.abort()
        await dialled.end.wait_closed()
        return dialled.boot_id


async def test_an_agent_is_told_for_which_build_and_what_it_is_dialled(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        boot_id = await dial(world)
        command = world.agent.dialled.get_nowait()
        assert (command.build_id, command.purpose) == (world.agent.actor.build_id, "tunnel")
        assert boot_id == world.dials.get_boot_id(world.agent.actor.agent_id)
        # Its ticket is for this dial and this agent, and only while somebody waits.
        with pytest.raises(NotFound):
            await world.dials.redeem_ticket(command.ticket, world.agent.actor)
        await dial(world)
        assert world.agent.dialled.get_nowait().nonce != command.nonce


async def begin(world: SessionWorld, tasks: asyncio.TaskGroup) -> tuple[Dial, asyncio.Task[str]]:
    """Dial an agent that does not answer by itself; the task gives why the dial failed."""

    async def fail() -> str:
        with pytest.raises(AgentUnreachable) as caught:
            await dial(world)
        return caught.value.message

    world.agent.is_answering = False
    dialling = tasks.create_task(fail())
    async with asyncio.timeout(CEILING_S):
        return await world.agent.dialled.get(), dialling


async def test_a_ticket_is_no_other_agents_business(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream) as world,
        asyncio.TaskGroup() as tasks,
    ):
        command, _ = await begin(world, tasks)
        other = await rows.add_running_agent()
        with pytest.raises(Unauthenticated):
            await world.dials.redeem_ticket(command.ticket, other)
        with pytest.raises(Unauthenticated):
            await world.dials.redeem_ticket("forged", world.agent.actor)
        assert await world.dials.redeem_ticket(command.ticket, world.agent.actor) == command.nonce
        world.dials.note_refusal(world.agent.actor.agent_id, command.nonce, "enough")


async def test_a_refusal_is_told_at_once_and_only_the_agents_own_counts(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream) as world,
        asyncio.TaskGroup() as tasks,
    ):
        command, dialling = await begin(world, tasks)
        world.dials.note_refusal("another agent", command.nonce, "of no account")
        world.dials.note_refusal(world.agent.actor.agent_id, "another nonce", "of no account")
        for _ in range(5):
            await asyncio.sleep(0)
        assert not dialling.done()
        world.dials.note_refusal(world.agent.actor.agent_id, command.nonce, "no way out of here")
        async with asyncio.timeout(CEILING_S):
            assert await dialling == "The agent could not open a carrier: no way out of here"


async def test_an_agent_that_takes_too_long_is_unreachable(tmp_path: Path) -> None:
    async with (
        open_agent_rows(tmp_path) as rows,
        session_world(rows, Hosts().handle_stream, limit_s=0.01) as world,
    ):
        world.agent.is_answering = False
        with pytest.raises(AgentUnreachable):
            await dial(world)


async def test_a_later_control_carrier_takes_the_place_and_the_former_takes_nothing_with_it(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        actor, dials = world.agent.actor, world.dials
        later = Control(actor.agent_id, actor.build_id, "later", world.agent.dial)
        former = Control("x", "b", "former", world.agent.dial)
        with dials.serve(later):
            assert dials.get_boot_id(actor.agent_id) == "later"
            with dials.serve(former):
                newest = Control("x", "b", "newest", world.agent.dial)
                with dials.serve(newest):
                    pass
            assert dials.get_boot_id(actor.agent_id) == "later"
        with pytest.raises(AgentUnreachable, match="no control connection"):
            dials.get_boot_id("x")
        with pytest.raises(AgentUnreachable, match="no control connection"):
            async with dials.dial("x", Purpose.TUNNEL):
                pass


async def test_the_end_of_a_former_control_carrier_leaves_the_later_one(tmp_path: Path) -> None:
    async with open_agent_rows(tmp_path) as rows, session_world(rows, Hosts().handle_stream) as world:
        dials = world.dials
        former = dials.serve(Control("x", "b", "former", world.agent.dial))
        later = dials.serve(Control("x", "b", "later", world.agent.dial))
        former.__enter__()
        with later:
            former.__exit__(None, None, None)
            assert dials.get_boot_id("x") == "later"
