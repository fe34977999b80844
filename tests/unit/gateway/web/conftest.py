"""Fixtures of the pages' tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.dashboard_app import Dashboard, open_dashboard
from tests.support.identity_app import Identity, make_identity


@pytest.fixture
async def identity(tmp_path: Path) -> AsyncGenerator[Identity]:
    """The identity routes on an empty database."""
    made = await make_identity(tmp_path)
    yield made
    await made.database.close()


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    """All pages on an empty workshop."""
    async with open_dashboard(tmp_path) as made:
        yield made
