from __future__ import annotations

from datetime import UTC, datetime

import pytest

from genba_gateway.errors import BadRequest
from genba_gateway.services.times import to_utc


def test_a_time_that_utc_has_not_names_its_field() -> None:
    assert to_utc(datetime.fromisoformat("2026-01-01T00:00:00+01:00"), "deadline").tzinfo is UTC
    with pytest.raises(BadRequest) as refused:
        to_utc(datetime.fromisoformat("0001-01-01T00:00:00+14:00"), "deadline")
    assert [problem.field for problem in refused.value.validations] == ["deadline"]
