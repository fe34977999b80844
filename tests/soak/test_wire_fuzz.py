"""Everything that reads bytes of strangers takes any bytes: for seconds in `make test`, for an hour in `make soak`.

`PYTEST_FUZZ_S` sets another number of seconds for the latter. A failure names the seed that repeats it.
"""

from __future__ import annotations

import os
import random
import time

import psutil
import pytest

from tests.support.wire_fuzz import TARGETS

SHORT_S = 20.0
FUZZ_S = float(os.environ.get("PYTEST_FUZZ_S") or 3600)
MOST_GROWTH_BYTES = 32 * 1024 * 1024
"""Of this process, over the whole of a run."""


def fuzz(name: str, seconds: float) -> int:
    """Try inputs for so long; returns how many."""
    target, tried = TARGETS[name], 0
    first = random.getrandbits(48)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seed = first + tried
        try:
            target(random.Random(seed))
        except Exception as error:
            error.add_note(f"To repeat it: TARGETS[{name!r}](random.Random({seed}))")
            raise
        tried += 1
    return tried


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_taken_for_seconds(name: str) -> None:
    assert fuzz(name, SHORT_S / len(TARGETS)) > 0


@pytest.mark.soak
@pytest.mark.timeout(FUZZ_S + 300)
@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_taken_for_an_hour(name: str) -> None:
    process = psutil.Process()
    fuzz(name, 1.0)
    before = process.memory_info().rss
    tried = fuzz(name, FUZZ_S / len(TARGETS))
    print(f"{name}: {tried} inputs")
    assert process.memory_info().rss - before <= MOST_GROWTH_BYTES
