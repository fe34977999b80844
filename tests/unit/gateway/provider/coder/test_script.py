"""Scripts have to run at some time."""

from __future__ import annotations

import pytest

from genba_gateway.provider.coder.script import SCHEMA, Script
from genba_gateway.provider.values import UNKNOWN, Fields, Object, Value


def make_config(**given: Value) -> Fields:
    empty: Object = {each.name: None for each in SCHEMA.block.attributes}
    return Fields({**empty, **given})


@pytest.mark.parametrize(
    "given", [{"run_on_start": True}, {"run_on_stop": True}, {"cron": "@daily"}, {"run_on_stop": UNKNOWN}]
)
def test_script_that_runs_is_fine(given: dict[str, Value]) -> None:
    assert Script().find_problems(make_config(**given)) == []


@pytest.mark.parametrize("given", [{}, {"run_on_start": False}, {"cron": ""}])
def test_script_that_never_runs_is_refused(given: dict[str, Value]) -> None:
    (problem,) = Script().find_problems(make_config(**given))
    assert "run_on_start, run_on_stop, cron" in problem.detail


@pytest.mark.parametrize(("starts", "is_ok"), [(True, True), (UNKNOWN, True), (False, False), (None, False)])
def test_logins_can_only_wait_for_a_script_that_runs_at_start(starts: Value, is_ok: bool) -> None:
    config = make_config(run_on_start=starts, run_on_stop=True, start_blocks_login=True)
    assert (Script().find_problems(config) == []) is is_ok


def test_schedule_of_five_fields_is_a_warning() -> None:
    (problem,) = Script().find_problems(make_config(cron="0 5 * * *"))
    assert problem.is_warning
    assert "0 0 5 * * *" in problem.detail
