"""Which of these are not for the inner loop, and how long a search for counterexamples may take in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

HERE: Final = Path(__file__).parent

SLOW: Final = (
    "agent/test_app_health.py",
    "gateway/api",
    "gateway/bootstrap",
    "gateway/provisioner/test_execution.py",
    "gateway/services/test_agent_logs.py",
    "gateway/services/test_deadlines.py",
    "gateway/services/test_job_runner.py",
    "gateway/store/test_schema.py",
    "gateway/store/test_workspaces.py",
    "ide_bridge/lsp/test_workspaces.py",
)
"""They drive a whole app on a database, or start programs: a quarter of a second a test, half of what all take."""

settings.register_profile("quick", max_examples=15)
if profile := os.environ.get("HYPOTHESIS_PROFILE"):
    settings.load_profile(profile)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make unit` leaves to `make test`."""
    slow = [HERE / each for each in SLOW]
    for item in items:
        if any(item.path.is_relative_to(each) for each in slow):
            item.add_marker("slow")
