from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from genba_gateway.domain.provisioning import JobLogLine, LogLevel, LogSource
from genba_gateway.services import job_log_writer
from genba_gateway.services.job_log_writer import JobLogWriter
from tests.support.workshop import CEILING_S, UNKNOWN_ID, Workshop


async def make_job(workshop: Workshop) -> str:
    return str((await workshop.add_version(run=False))["job"]["id"])


def open_log(workshop: Workshop, job_id: str) -> JobLogWriter:
    return JobLogWriter(workshop.database, workshop.pubsub, job_id, workshop.clock)


def make_line(workshop: Workshop, text: str) -> JobLogLine:
    return JobLogLine(workshop.clock(), LogSource.PROVISIONER, LogLevel.DEBUG, "Planning", text)


async def test_lines_are_stored_in_order_with_growing_ids(workshop: Workshop) -> None:
    job_id = await make_job(workshop)
    async with open_log(workshop, job_id) as writer:
        for number in range(100):
            await writer.add(make_line(workshop, str(number)))
        await writer.say("Cleaning Up", "bye", LogLevel.ERROR)
    lines = await workshop.services.jobs.list_logs(job_id, after=0, before=None)
    assert [(line.id, line.output) for line in lines[:-1]] == [(number + 1, str(number)) for number in range(100)]
    assert (lines[0].source, lines[0].level, lines[0].stage) == ("provisioner", "debug", "Planning")
    assert (lines[-1].source, lines[-1].level, lines[-1].output) == ("provisioner_daemon", "error", "bye")


async def test_flushed_lines_are_stored(workshop: Workshop) -> None:
    job_id = await make_job(workshop)
    async with asyncio.timeout(CEILING_S), open_log(workshop, job_id) as writer:
        await writer.flush()
        await writer.add(make_line(workshop, "a"))
        await writer.flush()
        assert await workshop.read_log(job_id) == ["a"]


async def test_more_lines_than_may_wait_are_held_back_and_all_stored(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_log_writer, "MAX_WAITING_LINES", 2)
    job_id = await make_job(workshop)
    async with asyncio.timeout(CEILING_S), open_log(workshop, job_id) as writer:
        for text in "abcdefg":
            await writer.add(make_line(workshop, text))
    assert await workshop.read_log(job_id) == list("abcdefg")


async def test_a_failure_is_raised_as_it_is_after_the_last_lines_are_stored(workshop: Workshop) -> None:
    job_id = await make_job(workshop)
    with pytest.raises(ZeroDivisionError):
        async with open_log(workshop, job_id) as writer:
            await writer.add(make_line(workshop, "last words"))
            raise ZeroDivisionError
    assert await workshop.read_log(job_id) == ["last words"]


async def test_a_log_that_cannot_be_written_ends_what_writes_it(workshop: Workshop) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(CEILING_S), open_log(workshop, UNKNOWN_ID) as writer:
            await writer.add(make_line(workshop, "x"))
            await asyncio.Event().wait()
    assert isinstance(raised.value.exceptions[0], IntegrityError)
