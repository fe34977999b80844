from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from genba_agent.log_queue import (
    MAX_BATCH_BYTES,
    MAX_BATCH_LINES,
    LogBatch,
    LogQueue,
    QueuedLine,
)


def make_line(output: str, source: str = "a") -> QueuedLine:
    return QueuedLine(source, datetime(2026, 1, 1, tzinfo=UTC), "info", output)


def drain(queue: LogQueue) -> list[LogBatch]:
    batches: list[LogBatch] = []
    while (batch := queue.form_batch()) is not None:
        batches.append(batch)
        queue.acknowledge()
    return batches


def test_batch_has_one_source_and_begins_with_the_oldest_line() -> None:
    queue = LogQueue()
    for output, source in [("1", "a"), ("2", "b"), ("3", "a"), ("4", "b")]:
        queue.append(make_line(output, source))
    assert [(batch.first_number, [line.output for line in batch.lines]) for batch in drain(queue)] == [
        (0, ["1", "3"]),
        (2, ["2", "4"]),
    ]


def test_batch_keeps_lines_and_numbers_until_acknowledged() -> None:
    queue = LogQueue(next_number=7)
    queue.append(make_line("1"))
    batch = queue.form_batch()
    queue.append(make_line("2"))
    assert queue.form_batch() is batch
    queue.acknowledge()
    following = queue.form_batch()
    assert following is not None
    assert (following.first_number, following.lines[0].output) == (8, "2")


def test_batch_at_the_line_limit_and_one_past_it() -> None:
    queue = LogQueue()
    for number in range(MAX_BATCH_LINES + 1):
        queue.append(make_line(str(number)))
    assert [len(batch.lines) for batch in drain(queue)] == [MAX_BATCH_LINES, 1]


def test_batch_at_the_byte_limit_and_one_past_it() -> None:
    half = "x" * (MAX_BATCH_BYTES // 2)
    queue = LogQueue()
    for output in (half, half, "x"):
        queue.append(make_line(output))
    assert [len(batch.lines) for batch in drain(queue)] == [2, 1]


def test_line_above_the_byte_limit_goes_alone() -> None:
    queue = LogQueue()
    queue.append(make_line("x" * (MAX_BATCH_BYTES + 1)))
    queue.append(make_line("y"))
    assert [len(batch.lines) for batch in drain(queue)] == [1, 1]


def test_what_waits_is_counted_without_what_is_in_flight() -> None:
    queue = LogQueue()
    queue.append(make_line("場"))
    queue.append(make_line("xx", "b"))
    assert (queue.waiting_lines, queue.waiting_bytes) == (2, 5)
    queue.form_batch()
    assert (queue.waiting_lines, queue.waiting_bytes) == (1, 2)


@given(st.lists(st.one_of(st.sampled_from("abc"), st.just("send"), st.just("ack"))))
def test_nothing_is_lost_and_numbers_have_no_gaps(actions: list[str]) -> None:
    queue = LogQueue()
    written: dict[str, list[str]] = {}
    sent: list[LogBatch] = []
    for number, action in enumerate(actions):
        if action == "send":
            queue.form_batch()
        elif action == "ack":
            if queue.in_flight is not None:
                sent.append(queue.in_flight)
            queue.acknowledge()
        else:
            queue.append(make_line(str(number), action))
            written.setdefault(action, []).append(str(number))
    sent += drain(queue)
    received: dict[str, list[str]] = {}
    for batch in sent:
        received.setdefault(batch.source_id, []).extend(line.output for line in batch.lines)
    assert received == written
    assert queue.is_empty
    numbers = [batch.first_number + at for batch in sent for at in range(len(batch.lines))]
    assert numbers == list(range(len(numbers)))
