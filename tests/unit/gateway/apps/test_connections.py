from __future__ import annotations

from typing import Any, cast

import pytest

from genba_gateway.apps.connections import MAX_JOINED_BYTES, UpstreamConnection, UpstreamLost


class FakeWay:
    """Notes what credit is given."""

    is_writable = True

    def __init__(self) -> None:
        self.credit = 0

    def listen(self, listener: Any) -> None:
        """The test delivers by itself."""

    def consumed(self, size: int) -> None:
        self.credit += size


def make(*parts: bytes) -> tuple[UpstreamConnection, FakeWay]:
    way = FakeWay()
    connection = UpstreamConnection(cast("Any", None), cast("Any", way))
    for part in parts:
        connection.data_received(memoryview(part))
    return connection, way


@pytest.mark.parametrize(("over", "sizes"), [(0, [MAX_JOINED_BYTES, 1]), (1, [10, MAX_JOINED_BYTES - 8])])
async def test_a_head_and_what_follows_it_are_read_together_if_they_are_little(over: int, sizes: list[int]) -> None:
    connection, _ = make(b"h" * 10, b"b" * (MAX_JOINED_BYTES - 10 + over), b"c")
    assert [len(await connection.read()) for _ in sizes] == sizes
    assert connection.is_quiet


async def test_what_is_peeked_at_stays_and_what_is_skipped_is_paid_for() -> None:
    connection, way = make(b"a" * 10, b"b" * (MAX_JOINED_BYTES - 10))
    data = connection.peek()
    assert data is not None
    assert len(data) == MAX_JOINED_BYTES
    assert way.credit == 0
    connection.skip()
    assert (way.credit, connection.is_quiet) == (MAX_JOINED_BYTES, True)


async def test_nothing_is_to_be_peeked_at_of_much_or_of_what_failed() -> None:
    connection, _ = make(b"a" * 10, b"b" * (MAX_JOINED_BYTES - 9))
    assert connection.peek() is None
    connection, _ = make(b"a")
    connection.fail(UpstreamLost("It broke."))
    assert connection.peek() is None


async def test_many_short_parts_are_kept_as_few() -> None:
    connection, _ = make(*(bytes([number % 256]) for number in range(10_000)), b"b" * MAX_JOINED_BYTES, b"c", b"d")
    read: list[bytes] = []
    while not connection.is_quiet:
        read.append(bytes(await connection.read()))
    assert b"".join(read) == bytes(number % 256 for number in range(10_000)) + b"b" * MAX_JOINED_BYTES + b"cd"
    assert len(read) < 20
