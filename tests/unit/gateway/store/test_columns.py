from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from genba_gateway.store.columns import JsonText, UtcTime

SQLITE, POSTGRES = sqlite.dialect(), postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it bare
TIMES = st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))


@given(TIMES)
def test_a_time_comes_back_as_it_was(time: datetime) -> None:
    column = UtcTime()
    for dialect in (SQLITE, POSTGRES):
        assert column.process_result_value(column.process_bind_param(time, dialect), dialect) == time


@given(TIMES, TIMES)
def test_the_order_of_stored_texts_is_that_of_the_times(first: datetime, second: datetime) -> None:
    stored = [UtcTime().process_bind_param(time, SQLITE) for time in (first, second)]
    assert (stored[0] < stored[1]) == (first < second)


def test_times_of_other_zones_are_stored_in_utc() -> None:
    tokyo = datetime(2026, 1, 2, 9, tzinfo=timezone(timedelta(hours=9)))
    assert UtcTime().process_bind_param(tokyo, SQLITE) == "2026-01-02T00:00:00.000000"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        UtcTime().process_bind_param(datetime(2026, 1, 2), SQLITE)


def test_null_stays_null() -> None:
    for column in (UtcTime(), JsonText()):
        assert column.process_bind_param(None, SQLITE) is None
        assert column.process_result_value(None, SQLITE) is None


def test_the_type_is_that_of_the_database() -> None:
    assert isinstance(UtcTime().load_dialect_impl(SQLITE), sa.String)
    postgres = UtcTime().load_dialect_impl(POSTGRES)
    assert isinstance(postgres, sa.DateTime)
    assert postgres.timezone


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_comes_back_as_it_was(value: object) -> None:
    column = JsonText()
    assert column.process_result_value(column.process_bind_param(value, SQLITE), SQLITE) == value
