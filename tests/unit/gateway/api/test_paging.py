from __future__ import annotations

import asyncio
from typing import Any

import pytest
from quart import Quart

from genba_gateway.api.paging import MAX_NUMBER_DIGITS, Page, read_page
from genba_gateway.errors import BadRequest

ID = "99999999-9999-4999-8999-999999999999"


async def parse(**query: str) -> Page:
    app: Any = await asyncio.to_thread(Quart, __name__)
    async with app.test_request_context("/", query_string=query):
        return read_page()


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, Page(None, 0, None)),
        ({"limit": "0"}, Page(None, 0, None)),
        ({"limit": "", "offset": "", "after_id": ""}, Page(None, 0, None)),
        ({"limit": "25", "offset": "3"}, Page(25, 3, None)),
        ({"after_id": ID.upper()}, Page(None, 0, ID)),
        ({"limit": "9" * MAX_NUMBER_DIGITS}, Page(10**MAX_NUMBER_DIGITS - 1, 0, None)),
    ],
)
async def test_a_page_is_read(query: dict[str, str], page: Page) -> None:
    assert await parse(**query) == page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", "1.5"),
        ("limit", "\N{SUPERSCRIPT TWO}"),
        ("limit", "9" * (MAX_NUMBER_DIGITS + 1)),
        ("offset", "-1"),
        ("after_id", "1"),
    ],
)
async def test_a_bad_value_is_refused_and_named(field: str, value: str) -> None:
    with pytest.raises(BadRequest) as refused:
        await parse(**{field: value})
    assert [problem.field for problem in refused.value.validations] == [field]
