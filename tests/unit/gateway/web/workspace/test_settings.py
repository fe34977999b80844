from __future__ import annotations

import pytest

from genba_gateway.errors import BadRequest
from genba_gateway.web.workspace.settings import MAX_HOURS, read_hours
from tests.support.page_request import in_request


@pytest.mark.parametrize(
    ("text", "read_ms"), [("", None), (" 1.5 ", 5_400_000), ("0", 0), (f"{MAX_HOURS}", MAX_HOURS * 3_600_000)]
)
def test_hours_are_read(text: str, read_ms: int | None) -> None:
    assert read_hours(text) == read_ms


@pytest.mark.parametrize("text", [f"{MAX_HOURS + 1}", "99999999", "9e99", "1e307", "inf", "nan", "-1", "x", "1" * 9])
async def test_other_hours_are_refused(text: str) -> None:
    async with in_request():
        with pytest.raises(BadRequest):
            read_hours(text)
