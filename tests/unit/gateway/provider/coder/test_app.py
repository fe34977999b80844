"""Apps: slugs."""

from __future__ import annotations

import pytest

from genba_gateway.provider.checks import find_problems
from genba_gateway.provider.coder.app import SCHEMA
from genba_gateway.provider.values import Object


@pytest.mark.parametrize(
    ("slug", "is_ok"),
    [
        ("a", True),
        ("code-server", True),
        ("a1-b2", True),
        ("", False),
        ("-a", False),
        ("a-", False),
        ("a--b", False),
        ("A", False),
        ("a_b", False),
        ("a\n", False),
    ],
)
def test_slug_can_be_part_of_a_host_name(slug: str, is_ok: bool) -> None:
    config: Object = {each.name: None for each in SCHEMA.block.attributes}
    problems = find_problems(SCHEMA.block, {**config, "healthcheck": [], "slug": slug, "agent_id": "a"})
    assert (problems == []) is is_ok
