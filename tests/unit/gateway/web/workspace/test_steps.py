"""How far a build is, by Terraform's own sentences."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from genba_gateway.domain.jobs import StoredJobLog
from genba_gateway.web.rendering import render_text
from genba_gateway.web.workspace import words
from genba_gateway.web.workspace.steps import MAX_RESOURCES, BuildSteps, ResourceStep, StageStep, StepReader, StepState
from tests.support.page_values import make_build, make_workspace

BEGAN = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
PLAN, APPLY = "Planning infrastructure", "Starting workspace"


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def read(*lines: tuple[str, str], reader: StepReader | None = None) -> StepReader:
    """Read lines that came a second apart."""
    reader = reader or StepReader()
    first = reader.last_id
    reader.read(
        StoredJobLog(first + number, at(first + number), "provisioner", "info", stage, output)
        for number, (stage, output) in enumerate(lines, 1)
    )
    return reader


def test_a_resource_is_planned_then_made_and_its_time_is_known() -> None:
    reader = read((PLAN, "terraform_data.home: Plan to create"))
    assert reader.steps().resources == (ResourceStep("terraform_data.home", "create", StepState.PLANNED),)
    read((APPLY, "terraform_data.home: Creating..."), reader=reader)
    assert reader.steps().resources[0].state is StepState.DOING
    read(
        (APPLY, "terraform_data.home: Still creating... [10s elapsed]"),
        (APPLY, "terraform_data.home: Creation complete after 2s [id=a: b]"),
        reader=reader,
    )
    assert reader.steps().resources == (ResourceStep("terraform_data.home", "create", StepState.DONE, at(2), at(4)),)
    assert reader.steps().done == 1


def test_a_replacement_is_done_when_the_new_one_is_there() -> None:
    reader = read((PLAN, "x.y: Plan to replace"), (APPLY, "x.y: Destroying... [id=1]"))
    assert reader.steps().resources[0].state is StepState.DOING
    read((APPLY, "x.y: Destruction complete after 0s"), reader=reader)
    assert reader.steps().resources[0].state is StepState.DOING
    read((APPLY, "x.y: Creating..."), (APPLY, "x.y: Creation complete after 1s [id=2]"), reader=reader)
    assert reader.steps().resources == (ResourceStep("x.y", "replace", StepState.DONE, at(2), at(5)),)


def test_what_is_only_read_before_the_plan_is_no_step() -> None:
    reader = read(
        (PLAN, "data.coder_workspace.me: Refreshing..."), (PLAN, "data.coder_workspace.me: Refresh complete after 0s")
    )
    assert reader.steps().resources == ()


def test_a_failure_is_told_by_terraform_or_by_the_end_of_the_job() -> None:
    reader = read((APPLY, "a.b: Creating..."), (APPLY, "a.b: Creation errored after 3s"), (APPLY, "a.c: Creating..."))
    assert [each.state for each in reader.steps().resources] == [StepState.FAILED, StepState.DOING]
    assert [each.state for each in reader.steps(at(9)).resources] == [StepState.FAILED, StepState.FAILED]


def test_addresses_may_have_keys_with_blanks_and_colons() -> None:
    reader = read((PLAN, 'module.m["a: b"].x.y["c d"]: Plan to delete'))
    assert reader.steps().resources[0].address == 'module.m["a: b"].x.y["c d"]'


def test_a_stage_ends_where_the_next_begins() -> None:
    reader = read((PLAN, ""), (PLAN, "x"), (APPLY, ""))
    assert reader.steps().stages == (StageStep(PLAN, at(1), at(3)), StageStep(APPLY, at(3)))
    assert reader.steps(at(7)).stages[-1] == StageStep(APPLY, at(3), at(7))


def test_the_output_of_a_provisioner_is_no_step() -> None:
    reader = read((APPLY, "x.y (local-exec): hello"), (APPLY, "x.y: Provisioning with 'local-exec'..."))
    assert reader.steps().resources == ()


def test_so_many_resources_are_kept_and_one_more_is_counted() -> None:
    reader = read(*[(PLAN, f"x.y[{number}]: Plan to create") for number in range(MAX_RESOURCES)])
    assert reader.steps().left_out == 0
    read((PLAN, "x.y[last]: Plan to create"), (APPLY, "x.y[last]: Creating..."), reader=reader)
    steps = reader.steps()
    assert (len(steps.resources), steps.left_out) == (MAX_RESOURCES, 1)


@pytest.mark.parametrize(("error", "marked"), [("no machine", 1), ("", 0)])
def test_a_failed_build_marks_the_stage_in_which_it_failed(error: str, marked: int) -> None:
    stages = tuple(StageStep(name, at(0), at(1)) for name in ("Setting up", APPLY, "Cleaning Up"))
    build = make_build(job={"error": error})
    view = SimpleNamespace(
        workspace=make_workspace(build), shows_build=True, steps=BuildSteps(stages), path="/@ana/dev"
    )
    text = render_text("workspace/build.html", view=view, words=words)
    assert text.count('class="stage failed"') == marked
    assert text.count('class="stage done"') == 3 - marked
    assert bool(re.search(r"stage failed[^/]*Starting the workspace", text)) is bool(marked)
