"""Fixtures that tests of several layers share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    """All services on an empty database, with a fake provisioner and three people."""
    async with open_workshop(tmp_path) as opened:
        yield opened
