"""What templates may say of a preset."""

from __future__ import annotations

import pytest

from genba_gateway.provider.checks import find_problems
from genba_gateway.provider.coder.workspace_preset import SCHEMA
from genba_gateway.provider.values import Value

NONE: list[Value] = []
NOTHING: dict[str, Value] = {
    "id": None,
    "description": None,
    "icon": None,
    "default": None,
    "parameters": None,
    "prebuilds": [],
}


@pytest.mark.parametrize(
    ("config", "count"),
    [
        ({"name": "Small", "parameters": {"cpu": "2"}}, 0),
        ({"name": ""}, 1),
        ({"name": "Small", "icon": "http://[bad"}, 1),
        ({"name": "Small", "prebuilds": [{"instances": 0, "expiration_policy": NONE, "scheduling": NONE}]}, 0),
        ({"name": "Small", "prebuilds": [{"instances": -1, "expiration_policy": NONE, "scheduling": NONE}]}, 1),
    ],
)
def test_a_preset_is_checked(config: dict[str, Value], count: int) -> None:
    assert len(find_problems(SCHEMA.block, {**NOTHING, **config})) == count
