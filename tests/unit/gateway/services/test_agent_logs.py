from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.agent_reports import AgentLogLine, LogLevel, LogPosition, NewLogLine
from genba_gateway.domain.channels import of_agent_logs, of_workspace
from genba_gateway.errors import BadRequest, TooLarge
from genba_gateway.services import agent_logs
from genba_gateway.services.agent_logs import MAX_ICON_CHARS, MAX_NAME_CHARS, AgentLogs
from genba_gateway.store import agent_logs as log_store
from genba_wire.api.agent_protocol import EXTERNAL_LOG_SOURCE_ID, MAX_LOGS_BYTES
from genba_wire.api.message import NIL_UUID
from tests.support.agent_rows import BEGINNING, AgentRows, open_agent_rows

SOURCE = "22222222-2222-4222-8222-222222222222"
SPOOL = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_logs(rows: AgentRows) -> AgentLogs:
    return AgentLogs(rows.database, rows.pubsub, now=rows.clock)


def lines(*outputs: str) -> list[NewLogLine]:
    return [NewLogLine(output, LogLevel.INFO) for output in outputs]


async def stored(rows: AgentRows, actor: AgentActor) -> list[AgentLogLine]:
    async with rows.database.read() as connection:
        return await log_store.list_log_lines(connection, actor.agent_id, after=0)


async def test_lines_get_growing_ids_and_the_gateways_time(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    await logs.append(actor, SOURCE, lines("a", "b"), None)
    rows.clock.move(1)
    await logs.append(actor, SOURCE, [NewLogLine("c", LogLevel.ERROR)], None)

    found = await stored(rows, actor)

    assert [(line.id, line.output, line.level, line.source_id) for line in found] == [
        (1, "a", "info", SOURCE),
        (2, "b", "info", SOURCE),
        (3, "c", "error", SOURCE),
    ]
    assert [line.created_at for line in found] == [BEGINNING, BEGINNING, rows.clock()]
    assert (await rows.get_agent(actor.agent_id)).logs_length == 3


async def test_ids_grow_within_each_agent(rows: AgentRows) -> None:
    logs = make_logs(rows)
    first, second = await rows.add_running_agent(), await rows.add_running_agent()
    await logs.append(first, SOURCE, lines("a", "b"), LogPosition(SPOOL, 0))
    await logs.append(second, SOURCE, lines("c"), LogPosition(SPOOL, 0))

    assert [line.id for line in await stored(rows, second)] == [1]


async def test_lines_of_nobody_are_external(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    for _ in range(2):
        await make_logs(rows).append(actor, NIL_UUID, lines("x"), None)

    agent = await rows.get_agent(actor.agent_id)

    assert {line.source_id for line in await stored(rows, actor)} == {EXTERNAL_LOG_SOURCE_ID}
    assert [(source.id, source.display_name, source.icon) for source in agent.log_sources] == [
        (EXTERNAL_LOG_SOURCE_ID, "External", "/emojis/1f310.png")
    ]


async def test_no_lines_and_no_source_are_refused(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    with pytest.raises(BadRequest) as empty:
        await make_logs(rows).append(actor, SOURCE, [], None)
    with pytest.raises(BadRequest) as no_uuid:
        await make_logs(rows).append(actor, "startup", lines("x"), None)

    assert [error.value.validations[0].field for error in (empty, no_uuid)] == ["logs", "log_source_id"]


async def test_the_log_holds_exactly_its_limit(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    half = "現" + "x" * (MAX_LOGS_BYTES // 2 - 3)
    await logs.append(actor, SOURCE, lines(half), None)
    await logs.append(actor, SOURCE, lines(half), None)

    agent = await rows.get_agent(actor.agent_id)

    assert (agent.logs_length, agent.logs_overflowed) == (MAX_LOGS_BYTES, False)


async def test_empty_lines_fill_the_log_too(rows: AgentRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_logs, "MAX_LINES", 10)
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    await logs.append(actor, SOURCE, lines(*[""] * 10), None)
    with pytest.raises(TooLarge, match="full"):
        await logs.append(actor, SOURCE, lines(""), None)
    assert len(await stored(rows, actor)) == 10


async def test_an_agent_has_so_many_sources_with_short_names(rows: AgentRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_logs, "MAX_SOURCES", 3)
    actor, other = await rows.add_running_agent(), await rows.add_running_agent()
    logs = make_logs(rows)
    ids = [str(uuid.uuid4()) for _ in range(4)]
    for each in ids[:3]:
        source = await logs.add_source(actor, each, "n" * 10_000, "i" * 10_000)
        assert (len(source.display_name), len(source.icon)) == (MAX_NAME_CHARS, MAX_ICON_CHARS)
    with pytest.raises(BadRequest, match="3 log sources"):
        await logs.add_source(actor, ids[3], "one more", "")
    assert (await logs.add_source(actor, ids[0], "again", "")).display_name == "n" * MAX_NAME_CHARS
    await logs.add_source(other, ids[3], "another agent's", "")


async def test_a_batch_one_byte_over_the_limit_is_lost_whole_and_closes_the_log(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    await logs.append(actor, SOURCE, lines("x" * (MAX_LOGS_BYTES - 3)), None)

    with pytest.raises(TooLarge):
        await logs.append(actor, SOURCE, lines("ab", "cd"), LogPosition(SPOOL, 0))
    with pytest.raises(TooLarge):
        await logs.append(actor, SOURCE, lines("e"), LogPosition(SPOOL, 0))

    agent = await rows.get_agent(actor.agent_id)
    assert (agent.logs_length, agent.logs_overflowed) == (MAX_LOGS_BYTES - 3, True)
    assert len(await stored(rows, actor)) == 1


async def test_a_batch_that_was_stored_is_acknowledged_after_an_overflow_too(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    await logs.append(actor, SOURCE, lines("a"), LogPosition(SPOOL, 0))
    with pytest.raises(TooLarge):
        await logs.append(actor, SOURCE, lines("x" * MAX_LOGS_BYTES), LogPosition(SPOOL, 1))

    await logs.append(actor, SOURCE, lines("a"), LogPosition(SPOOL, 0))

    assert [line.output for line in await stored(rows, actor)] == ["a"]


async def test_followers_are_told_of_lines_and_watchers_of_an_overflow(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    with (
        rows.pubsub.subscribe(of_agent_logs(actor.agent_id)) as follower,
        rows.pubsub.subscribe(of_workspace(actor.workspace_id)) as watcher,
    ):
        await logs.append(actor, SOURCE, lines("a"), None)
        assert await follower.changed(timeout_s=0)
        assert not await watcher.changed(timeout_s=0)

        with pytest.raises(TooLarge):
            await logs.append(actor, SOURCE, lines("x" * MAX_LOGS_BYTES), None)
        assert await follower.changed(timeout_s=0)
        assert await watcher.changed(timeout_s=0)


async def test_a_source_is_stored_once(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    first = await logs.add_source(actor, SOURCE, "Build", "/b.png")
    rows.clock.move(1)

    assert await logs.add_source(actor, SOURCE.upper(), "Other", "") == first
    assert (first.display_name, first.created_at) == ("Build", BEGINNING)


@pytest.mark.parametrize("source_id", [NIL_UUID, "x", ""])
async def test_a_source_without_an_id_is_refused(rows: AgentRows, source_id: str) -> None:
    with pytest.raises(BadRequest):
        await make_logs(rows).add_source(await rows.add_running_agent(), source_id, "Build", "")


async def test_concurrent_copies_of_a_batch_are_stored_once(rows: AgentRows) -> None:
    actor = await rows.add_running_agent()
    logs = make_logs(rows)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(logs.append(actor, SOURCE, lines("a", "b"), LogPosition(SPOOL, 0)))

    assert [line.output for line in await stored(rows, actor)] == ["a", "b"]


Deliveries = list[tuple[int, int]]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[int, Deliveries]:
    """What an agent that repeats itself may send of a spool: batches (first, end), none beginning beyond what came."""
    total = draw(st.integers(1, 12))
    sent: Deliveries = []
    reached = 0
    while reached < total:
        first = draw(st.integers(0, reached))
        end = draw(st.integers(first + 1, total))
        sent.append((first, end))
        reached = max(reached, end)
        if draw(st.booleans()):
            sent.append(draw(st.sampled_from(sent)))
    return total, sent


@settings(max_examples=40, deadline=None)
@given(st.lists(deliveries(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_any_interleaving_of_repeated_batches_stores_each_line_once_in_order(
    spools: list[tuple[int, Deliveries]], random: st.DataObject
) -> None:
    turns = [index for index, (_, sent) in enumerate(spools) for _ in sent]
    random.shuffle(turns)  # type: ignore[attr-defined]  # a random.Random

    outputs = asyncio.run(deliver([sent for _, sent in spools], turns))

    for index, (total, _) in enumerate(spools):
        mine = [output for output in outputs if output.startswith(f"{index}:")]
        assert mine == [f"{index}:{number}" for number in range(total)]
    assert len(outputs) == sum(total for total, _ in spools)


async def deliver(spools: Sequence[Deliveries], turns: Sequence[int]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with open_agent_rows(Path(folder)) as rows:
            actor = await rows.add_running_agent()
            logs = make_logs(rows)
            boots = [str(uuid.uuid4()) for _ in spools]
            left = [iter(sent) for sent in spools]
            for spool in turns:
                first, end = next(left[spool])
                batch = lines(*(f"{spool}:{number}" for number in range(first, end)))
                await logs.append(actor, SOURCE, batch, LogPosition(boots[spool], first))
            found = await stored(rows, actor)
            assert [line.id for line in found] == list(range(1, len(found) + 1))
            return [line.output for line in found]
