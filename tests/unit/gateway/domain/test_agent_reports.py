from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.agent_reports import (
    LogLevel,
    LogPosition,
    MetadataValue,
    NewLogLine,
    cut_metadata,
    is_version,
    lines_not_stored,
)
from genba_wire.api.agent_protocol import MAX_METADATA_VALUE_BYTES
from genba_wire.version import VERSION


@pytest.mark.parametrize("version", ["v1", "v1.2", "v1.2.3", "v0.0.0-devel+abc", "v2.20.0+genba.0.1.0", VERSION])
def test_a_version_begins_with_v(version: str) -> None:
    assert is_version(version)


@pytest.mark.parametrize(
    "version", ["", "1.2.3", "v", "v1.2.3.4", "v01.2.3", "v1.2-x", "v1.2.3-", "v1.2.3+", "v1.2.3 ", "v1.2.3\n", "vx"]
)
def test_anything_else_is_no_version(version: str) -> None:
    assert not is_version(version)


def test_a_value_at_the_limit_is_kept_whole() -> None:
    value = MetadataValue("cpu", "x" * MAX_METADATA_VALUE_BYTES, "")

    assert cut_metadata(value) == value


def test_a_value_one_byte_over_the_limit_is_cut_and_says_so() -> None:
    kept = cut_metadata(MetadataValue("cpu", "x" * (MAX_METADATA_VALUE_BYTES + 1), "exit status 1"))

    assert kept.value == "x" * MAX_METADATA_VALUE_BYTES
    assert "2049 bytes" in kept.error
    assert "exit status 1" in kept.error


def test_an_error_is_cut_too() -> None:
    at_limit, over = "e" * MAX_METADATA_VALUE_BYTES, "e" * (MAX_METADATA_VALUE_BYTES + 1)

    assert cut_metadata(MetadataValue("cpu", "", at_limit)).error == at_limit
    assert cut_metadata(MetadataValue("cpu", "", over)).error == at_limit


def test_a_character_is_never_cut_in_two() -> None:
    kept = cut_metadata(MetadataValue("cpu", "x" + "現" * 1000, ""))

    assert kept.value == "x" + "現" * 682
    assert len(kept.value.encode()) == 2047


@given(st.text(), st.text())
def test_what_is_kept_always_fits(value: str, error: str) -> None:
    kept = cut_metadata(MetadataValue("k", value * 50, error * 50))

    assert len(kept.value.encode()) <= MAX_METADATA_VALUE_BYTES
    assert len(kept.error.encode()) <= MAX_METADATA_VALUE_BYTES


def lines(first: int, count: int) -> list[NewLogLine]:
    return [NewLogLine(str(number), LogLevel.INFO) for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("next_line", "left"), [(0, "0123"), (9, "0123"), (10, "0123"), (11, "123"), (13, "3"), (14, ""), (99, "")]
)
def test_of_a_batch_only_lines_that_are_not_stored_are_left(next_line: int, left: str) -> None:
    batch = lines(10, 4)

    stored = lines_not_stored(batch, LogPosition("b", 10), next_line)

    assert [line.output for line in stored] == [f"1{digit}" for digit in left]
