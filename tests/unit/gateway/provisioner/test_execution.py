"""Shell scripts in place of Terraform, so that every kind of ending can be had at will."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner import execution as execution_module
from genba_gateway.provisioner.execution import Capture, Outcome, TerraformExecution
from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.sessions import read_record, session_members
from tests.support.waiting import eventually

# Tells its process id, then works until it is interrupted; a child of it is left behind.
STUBBORN_CHILD = """
sleep 1000 </dev/null >/dev/null 2>&1 &
trap 'echo interrupted; exit 1' INT
echo $$
while :; do sleep 0.01; done
"""
IGNORES_INTERRUPT = """
trap 'echo again' INT
echo $$
while :; do sleep 0.01; done
"""


class Terminal:
    """What a process wrote."""

    def __init__(self) -> None:
        self.text = ""
        self.first_line = asyncio.Event()

    async def feed(self, chunk: bytes) -> None:
        self.text += chunk.decode()
        if "\n" in self.text:
            self.first_line.set()

    async def pid(self) -> int:
        await self.first_line.wait()
        return int(self.text.splitlines()[0])


async def living_members(session_id: int) -> list[int]:
    return await asyncio.to_thread(session_members, session_id)


Make = Callable[..., TerraformExecution]


@pytest.fixture
def directory(tmp_path: Path) -> JobDirectory:
    created = JobDirectory(tmp_path / "job", "j1")
    created.create()
    return created


@pytest.fixture
def make(tmp_path: Path, directory: JobDirectory) -> Make:
    def build(script: str, cancel: asyncio.Event | None = None, grace_s: float = 30.0) -> TerraformExecution:
        program = tmp_path / "terraform"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return TerraformExecution(
            program=program,
            directory=directory,
            environment={"PATH": os.environ["PATH"], "MARK": "here"},
            cancel=cancel or asyncio.Event(),
            cancel_grace_s=grace_s,
        )

    return build


async def test_output_exit_code_and_environment_are_the_programs(make: Make, directory: JobDirectory) -> None:
    out, err = Terminal(), Terminal()

    outcome = await make('echo "$1 $MARK $HOME"; pwd; echo bad >&2; exit 3').run(
        ["plan"], stdout=out.feed, stderr=err.feed
    )

    assert outcome == Outcome(3)
    assert out.text == f"plan here \n{directory.source}\n"
    assert err.text == "bad\n"
    assert list(directory.sessions.iterdir()) == []


async def test_large_output_arrives_whole(make: Make) -> None:
    capture = Capture()

    await make("head -c 3000000 /dev/zero").run([], stdout=capture.feed, stderr=Terminal().feed)

    assert capture.data() == b"\0" * 3_000_000


async def test_too_large_output_ends_the_process(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_module, "MAX_CAPTURE_BYTES", 100_000)
    monkeypatch.setattr(execution_module, "SHUTDOWN_GRACE_S", 0.1)

    with pytest.raises(ProvisionError, match="larger than"):
        await make("while :; do echo xxxxxxxxxxxxxxxxxx; done").run([], stdout=Capture().feed, stderr=Terminal().feed)


async def test_cancel_interrupts_once_and_kills_what_is_left(make: Make, directory: JobDirectory) -> None:
    cancel, out = asyncio.Event(), Terminal()
    pids: list[int] = []

    async def cancel_when_running() -> None:
        pid = await out.pid()
        await eventually(lambda: len(session_members(pid)) >= 2)
        pids.append(pid)
        cancel.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(cancel_when_running())
        outcome = await make(STUBBORN_CHILD, cancel).run([], stdout=out.feed, stderr=Terminal().feed)

    assert outcome == Outcome(1, is_canceled=True)
    assert out.text.count("interrupted") == 1
    assert await living_members(pids[0]) == []
    assert list(directory.sessions.iterdir()) == []


async def test_process_that_ignores_the_interrupt_is_killed_after_the_grace(make: Make) -> None:
    cancel, out = asyncio.Event(), Terminal()

    async def cancel_when_running() -> None:
        await out.pid()
        cancel.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(cancel_when_running())
        outcome = await make(IGNORES_INTERRUPT, cancel, grace_s=2.0).run([], stdout=out.feed, stderr=Terminal().feed)

    assert outcome == Outcome(-9, is_canceled=True)
    assert out.text.count("again") == 1
    assert await living_members(await out.pid()) == []


async def test_interrupt_is_on_record_before_it_is_sent(make: Make, directory: JobDirectory) -> None:
    cancel, out = asyncio.Event(), Terminal()
    records: list[bool] = []

    async def watch() -> None:
        pid = await out.pid()
        (session,) = await asyncio.to_thread(lambda: list(directory.sessions.iterdir()))
        await eventually(lambda: read_record(session) is not None)
        before = await asyncio.to_thread(read_record, session)
        assert before is not None
        assert before.pid == pid
        records.append(before.is_interrupted)
        cancel.set()
        await eventually(lambda: "again" in out.text)
        after = await asyncio.to_thread(read_record, session)
        assert after is not None
        records.append(after.is_interrupted)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        await make(IGNORES_INTERRUPT, cancel, grace_s=1.0).run([], stdout=out.feed, stderr=Terminal().feed)

    assert records == [False, True]


async def test_nothing_starts_after_a_cancel(make: Make, tmp_path: Path) -> None:
    cancel = asyncio.Event()
    cancel.set()

    outcome = await make(f"touch {tmp_path}/ran", cancel).run([], stdout=Terminal().feed, stderr=Terminal().feed)

    assert outcome.is_canceled
    assert not (tmp_path / "ran").exists()


async def test_cancel_of_the_task_ends_the_process_before_it_goes_on(make: Make) -> None:
    out = Terminal()

    async with asyncio.TaskGroup() as group:
        run = group.create_task(make(STUBBORN_CHILD).run([], stdout=out.feed, stderr=Terminal().feed))
        pid = await out.pid()
        run.cancel()

    assert run.cancelled()
    assert "interrupted" in out.text
    assert await living_members(pid) == []


async def test_cancel_of_the_task_after_the_users_does_not_interrupt_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_module, "SHUTDOWN_GRACE_S", 0.3)
    cancel, out = asyncio.Event(), Terminal()

    async with asyncio.TaskGroup() as group:
        run = group.create_task(make(IGNORES_INTERRUPT, cancel).run([], stdout=out.feed, stderr=Terminal().feed))
        pid = await out.pid()
        cancel.set()
        await eventually(lambda: "again" in out.text)
        run.cancel()

    assert out.text.count("again") == 1
    assert await living_members(pid) == []


async def test_impatient_second_cancel_of_the_task_leaves_no_process(make: Make) -> None:
    out = Terminal()

    async with asyncio.TaskGroup() as group:
        run = group.create_task(make(IGNORES_INTERRUPT).run([], stdout=out.feed, stderr=Terminal().feed))
        pid = await out.pid()
        run.cancel()
        await eventually(lambda: "again" in out.text)
        run.cancel()

    await eventually(lambda: session_members(pid) == [])


async def test_program_that_does_not_start_is_named(make: Make, directory: JobDirectory, tmp_path: Path) -> None:
    broken = make("true")
    (tmp_path / "terraform").write_text("not a program")

    with pytest.raises(ProvisionError, match=r"terraform could not be started \(Exec format error\)"):
        await broken.run([], stdout=Terminal().feed, stderr=Terminal().feed)


async def test_slow_reader_slows_the_program_down_and_loses_nothing(make: Make) -> None:
    received = 0

    async def slowly(chunk: bytes) -> None:
        nonlocal received
        received += len(chunk)
        for _ in range(10):
            await asyncio.sleep(0)

    await make("head -c 1000000 /dev/zero").run([], stdout=slowly, stderr=Terminal().feed)

    assert received == 1_000_000
