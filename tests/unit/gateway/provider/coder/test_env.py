"""Names of environment variables."""

from __future__ import annotations

import pytest

from genba_gateway.provider.checks import find_problems
from genba_gateway.provider.coder.env import SCHEMA
from genba_gateway.provider.values import Object


@pytest.mark.parametrize(
    ("name", "is_ok"), [("PATH", True), ("_x1", True), ("1A", False), ("A=B", False), ("", False), ("A\n", False)]
)
def test_name(name: str, is_ok: bool) -> None:
    config: Object = {each.name: None for each in SCHEMA.block.attributes}
    assert (find_problems(SCHEMA.block, {**config, "name": name}) == []) is is_ok
