"""What builds say about themselves."""

from __future__ import annotations

import pytest

from genba_ide_bridge.cli.build_facts import agents_of, is_over
from tests.support.cli_builders import make_agent, make_build, make_job, make_resource


@pytest.mark.parametrize(
    ("status", "over"),
    [("pending", False), ("running", False), ("canceling", False), ("canceled", True), ("failed", True)],
)
def test_a_job_is_over_when_nothing_more_will_happen(status: str, over: bool) -> None:
    assert is_over(make_job(status=status)) is over


def test_agents_come_in_the_order_of_their_resources() -> None:
    first, second, third = make_agent(), make_agent(), make_agent()
    build = make_build(resources=[make_resource([first]), make_resource([]), make_resource([second, third])])
    assert agents_of(build) == [first, second, third]
