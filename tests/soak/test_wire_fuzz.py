"""Everything that reads bytes of strangers takes any bytes: for seconds in `make test`, for an hour in `make soak`.

`GENBA_FUZZ_S` sets another number of seconds for the latter. A counterexample is made small and printed.
"""

from __future__ import annotations

import random
import time

import psutil
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from tests.support.fuzz_time import FUZZ_S
from tests.support.wire_fuzz import TARGETS, Target

SHORT_S = 20.0
BATCH = 300
SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
MOST_GROWTH_BYTES = 128 * 1024 * 1024
"""Of this process, over the whole of a run: Hypothesis keeps some of what it saw."""


def fuzz(target: Target, seconds: float) -> int:
    """Try inputs for so long, in batches that begin anew; returns how many."""
    tried = 0

    def attempt(data: DataObject) -> None:
        nonlocal tried
        tried += 1
        target(data)

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        batch = settings(
            max_examples=BATCH, deadline=None, database=None, suppress_health_check=SLOW_IS_FINE, print_blob=True
        )(given(st.data())(attempt))
        seed(random.getrandbits(64))(batch)()
    return tried


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_taken_for_seconds(name: str) -> None:
    assert fuzz(TARGETS[name], SHORT_S / len(TARGETS)) > 0


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_taken_for_an_hour(name: str) -> None:
    process = psutil.Process()
    fuzz(TARGETS[name], 1.0)
    before = process.memory_info().rss
    tried = fuzz(TARGETS[name], FUZZ_S / len(TARGETS))
    print(f"{name}: {tried} inputs")
    assert process.memory_info().rss - before <= MOST_GROWTH_BYTES
