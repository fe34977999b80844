"""The lists of what `make unit` leaves out name what is there."""

from __future__ import annotations

import pytest

from tests.unit.conftest import HERE, SLOW, SLOW_TESTS


@pytest.mark.parametrize("place", SLOW)
def test_a_file_or_folder_that_is_left_out_is_there(place: str) -> None:
    assert (HERE / place).exists()


@pytest.mark.parametrize("place", SLOW_TESTS)
def test_a_test_that_is_left_out_is_there_beside_others_that_are_not(place: str) -> None:
    module, _, name = place.partition("::")
    assert f"def {name}(" in (HERE / module).read_text()
    assert not any((HERE / module).is_relative_to(HERE / each) for each in SLOW)
