"""How Terraform is called, and what its endings become; a script stands in for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.execution import TerraformExecution
from genba_gateway.provisioner.job_directory import JobDirectory
from genba_gateway.provisioner.job_log import JobLog
from genba_gateway.provisioner.terraform_commands import JobCanceled, TerraformCommands, TerraformFailed
from genba_gateway.provisioner.timing_log import TimingLog
from tests.support.provisioning import RecordedLog

LIMIT_S = 30.0

Make = Callable[[str], TerraformCommands]


class Stage:
    """A folder with a script for Terraform, and what came of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = RecordedLog()
        self.cancel = asyncio.Event()
        self.timings = TimingLog()
        self.directory = JobDirectory(folder / "job", "j1")
        self.directory.create()

    def commands(self, script: str) -> TerraformCommands:
        program = self.folder / "terraform"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{self.folder}/calls\n{script}\n')
        program.chmod(0o755)
        execution = TerraformExecution(
            program=program,
            directory=self.directory,
            environment={"PATH": "/usr/bin:/bin"},
            cancel=self.cancel,
            cancel_grace_s=LIMIT_S,
        )
        return TerraformCommands(execution, JobLog(self.log), self.timings)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def say(**message: object) -> str:
    """A line of Terraform's JSON, for a script."""
    return f"echo '{json.dumps({'@level': 'info', '@message': 'x', **message})}'"


async def test_modules_and_providers_are_installed_without_questions(stage: Stage) -> None:
    commands = stage.commands("echo Installing")
    await commands.get(LIMIT_S)
    await commands.init(LIMIT_S, has_modules=True)
    await commands.init(LIMIT_S, has_modules=False)
    assert stage.calls == [
        "get -no-color",
        "init -no-color -input=false -get=false",
        "init -no-color -input=false",
    ]
    assert stage.log.text.count("Installing") == 3


async def test_a_plan_and_an_apply_are_told_in_json_and_a_removal_is_one(stage: Stage) -> None:
    commands = stage.commands("true")

    async def planned() -> None:
        """Nothing is planned here."""

    await commands.plan(Path("/p/start.tfplan"), Path("/p/vars"))
    await commands.apply(Path("/p/vars"), is_destroy=False, on_planned=planned)
    await commands.apply(Path("/p/vars"), is_destroy=True, on_planned=planned)
    assert stage.calls == [
        "plan -json -no-color -input=false -out=/p/start.tfplan -lock=false -var-file=/p/vars",
        "apply -json -no-color -input=false -auto-approve -var-file=/p/vars",
        "apply -json -no-color -input=false -auto-approve -var-file=/p/vars -destroy",
    ]


async def test_whoever_applies_hears_when_the_plan_is_complete(stage: Stage) -> None:
    told: list[str] = []

    async def planned() -> None:
        told.append(stage.log.text)

    changes = {"add": 1, "change": 0, "remove": 0, "operation": "plan"}
    script = say(type="change_summary", changes=changes) + "\n" + say(type="apply_start", hook={"resource": {}})
    await stage.commands(script).apply(Path("/p/vars"), is_destroy=False, on_planned=planned)
    assert len(told) == 1


async def test_plans_and_graphs_are_kept_from_the_log(stage: Stage) -> None:
    commands = stage.commands("""printf '\\377digraph'""")
    assert await commands.show(Path("/p")) == b"\xffdigraph"
    assert await commands.graph() == "\ufffddigraph"
    assert stage.calls == ["show -json -no-color /p", "graph -type=plan"]
    assert stage.log.text == ""


async def test_a_failure_is_told_in_terraforms_words(stage: Stage) -> None:
    diagnostic = {"severity": "error", "summary": "No such image", "detail": "debian:99"}
    script = say(type="diagnostic", diagnostic=diagnostic, **{"@level": "error"}) + "\nexit 1"
    with pytest.raises(TerraformFailed, match="No such image"):
        await stage.commands(script).plan(Path("/p"), Path("/v"))
    assert "debian:99" in stage.log.text


async def test_a_failure_without_words_has_its_code(stage: Stage) -> None:
    with pytest.raises(TerraformFailed, match="7"):
        await stage.commands("exit 7").show(Path("/p"))


async def test_a_canceled_job_runs_nothing(stage: Stage) -> None:
    stage.cancel.set()
    with pytest.raises(JobCanceled):
        await stage.commands("true").init(LIMIT_S, has_modules=False)
    assert not (stage.folder / "calls").exists()


async def test_an_address_that_does_not_answer_ends_the_installation_with_a_remedy(stage: Stage) -> None:
    commands = stage.commands("trap 'exit 1' INT\nwhile :; do sleep 0.01; done")
    with pytest.raises(ProvisionError, match=r"terraform get was ended after 0\.05 s: an address") as caught:
        await commands.get(0.05)
    assert "--init-limit-s" in caught.value.message
    assert not isinstance(caught.value, TerraformFailed | JobCanceled)


async def test_each_command_is_measured_and_an_apply_in_two_stages(stage: Stage) -> None:
    planned = say(type="change_summary", changes={"operation": "plan"})
    resource = {"resource": {"addr": "null_resource.a", "implied_provider": "null"}, "action": "create"}
    began = say(type="apply_start", hook=resource, **{"@timestamp": "2026-01-02T03:04:05.000006Z"})
    ended = say(type="apply_complete", hook=resource, **{"@timestamp": "2026-01-02T03:04:07.5+01:00"})
    commands = stage.commands(f"{planned}; {began}; {ended}")

    async def ignore() -> None:
        pass

    await commands.init(LIMIT_S, has_modules=False)
    await commands.graph()
    await commands.apply(stage.folder / "v.json", is_destroy=False, on_planned=ignore)

    assert [
        (timing.stage.value, timing.source, timing.resource)
        for timing in stage.timings.read()
        if timing.source == "terraform"
    ] == [(each, "terraform", "terraform") for each in ("init", "graph", "plan", "apply")]
    (of_resource,) = [timing for timing in stage.timings.read() if timing.source == "null"]
    assert (of_resource.stage.value, of_resource.action, of_resource.resource) == ("apply", "create", "null_resource.a")
    assert of_resource.started_at.isoformat() == "2026-01-02T03:04:05.000006+00:00"


async def test_a_command_that_fails_is_measured_too(stage: Stage) -> None:
    with pytest.raises(TerraformFailed):
        await stage.commands("exit 1").graph()
    assert [timing.stage.value for timing in stage.timings.read()] == ["graph"]
