"""What a figure is, how it is printed, and which were asked for."""

from __future__ import annotations

import json
import re
import statistics
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. Without a baseline `baseline` is None; `runs` is how many values it is the median of."""

    figure: str
    value: float
    unit: str
    runs: int
    baseline: float | None = None
    baseline_unit: str = ""

    def print(self) -> None:
        """Print the line on stdout, where nothing else goes."""
        line = {
            "figure": self.figure,
            "value": round(self.value, 3),
            "unit": self.unit,
            "baseline": None if self.baseline is None else round(self.baseline, 3),
            "baseline_unit": self.baseline_unit,
            "runs": self.runs,
        }
        print(json.dumps(line), flush=True)


Measure = Callable[[Path], Coroutine[None, None, Sequence[Figure]]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A measurement that yields several figures; it gets an empty folder of its own."""

    figures: tuple[str, ...]
    measure: Measure

    def is_wanted(self, only: str) -> bool:
        """Whether one of its figures matches the regular expression (empty: all)."""
        return any(re.search(only, figure) for figure in self.figures)


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of the values don't pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round((len(ordered) - 1) * percent / 100))]


def note(text: str) -> None:
    """Say something about the run, on stderr."""
    print(text, file=sys.stderr, flush=True)
