"""Fixtures of the pages' tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.identity_app import Identity, make_identity


@pytest.fixture
async def identity(tmp_path: Path) -> AsyncGenerator[Identity]:
    """The identity routes on an empty database."""
    made = await make_identity(tmp_path)
    yield made
    await made.database.close()
