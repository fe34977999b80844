"""Metadata: absent is not empty."""

from __future__ import annotations

from genba_gateway.provider.coder.metadata import Metadata
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.values import UNKNOWN, Fields, Value


async def test_items_without_a_value_are_marked() -> None:
    rows: list[Value] = [
        {"key": key, "value": value, "sensitive": False, "is_null": UNKNOWN}
        for key, value in (("absent", None), ("empty", ""), ("filled", "x"))
    ]
    session = Session(ProviderContext("job", "http://x", {}))

    made = await Metadata().create(session, Fields({"item": rows}))

    assert [row["is_null"] for row in Fields(made).rows("item")] == [True, False, False]


def test_repeated_keys_are_refused() -> None:
    items: list[Value] = [{"key": "a"}, {"key": "a"}]
    assert [each.path for each in Metadata().find_problems(Fields({"item": items}))] == [("item", 1, "key")]
