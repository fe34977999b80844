"""Statuses of jobs and workspaces, over every combination of what they follow from."""

from __future__ import annotations

from itertools import product

from genba_gateway.domain.jobs import ACTIVE, JobStatus, job_status
from genba_gateway.domain.provisioning import Transition
from genba_gateway.domain.workspaces import WorkspaceStatus, workspace_status


def test_every_combination_has_a_status_and_completed_ones_are_not_active() -> None:
    for started, completed, canceled, failed in product((False, True), repeat=4):
        status = job_status(started=started, completed=completed, canceled=canceled, failed=failed)
        assert (status in ACTIVE) is not completed


def test_statuses_follow_the_life_of_a_job() -> None:
    def status(**facts: bool) -> JobStatus:
        none = {"started": False, "completed": False, "canceled": False, "failed": False}
        return job_status(**{**none, **facts})

    assert status() is JobStatus.PENDING
    assert status(started=True) is JobStatus.RUNNING
    assert status(started=True, canceled=True) is JobStatus.CANCELING
    assert status(started=True, canceled=True, completed=True, failed=True) is JobStatus.CANCELED
    assert status(started=True, completed=True, failed=True) is JobStatus.FAILED
    assert status(started=True, completed=True) is JobStatus.SUCCEEDED


def test_workspace_status_names_the_transition_while_it_runs_and_after() -> None:
    assert workspace_status(Transition.STOP, JobStatus.RUNNING) is WorkspaceStatus.STOPPING
    assert workspace_status(Transition.START, JobStatus.SUCCEEDED) is WorkspaceStatus.RUNNING
    assert workspace_status(Transition.DELETE, JobStatus.SUCCEEDED) is WorkspaceStatus.DELETED
    for transition in Transition:
        for job in (JobStatus.PENDING, JobStatus.CANCELING, JobStatus.CANCELED, JobStatus.FAILED):
            assert workspace_status(transition, job).value == job.value
