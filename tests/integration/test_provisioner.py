"""Template imports and workspace builds with the real Terraform, without our provider (`terraform_data` only)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import BuildRequest, BuildResult, ImportRequest, LogLevel, Transition
from genba_gateway.domain.timings import TimingStage
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner import execution
from genba_gateway.provisioner.sessions import marked_processes
from genba_gateway.provisioner.terraform import TerraformProvisioner
from genba_gateway.provisioner.terraform_binary import TerraformBinary, find_terraform
from tests.support.provisioning import NoProvider, RecordedLog
from tests.support.template_archives import template_archive
from tests.support.waiting import eventually

SIMPLE = """
variable "who" {
  default     = "world"
  description = "Whom to greet"
}
resource "terraform_data" "greeting" {
  input = "hello ${var.who}"
  provisioner "local-exec" {
    command = "echo greeting ${var.who}"
  }
}
"""

# One resource is complete when the other's script tells that it runs; the script's child outlives its shell.
SLOW = """
resource "terraform_data" "done" {
  input = "kept"
}
resource "terraform_data" "slow" {
  input = terraform_data.done.output
  provisioner "local-exec" {
    command = "sleep 1000 & echo $$ > MARK.new; mv MARK.new MARK; sleep 1000"
  }
}
"""


@pytest.fixture
async def binary(tmp_path: Path) -> TerraformBinary:
    return await find_terraform(None, tmp_path / "bin", print)


@pytest.fixture
def provider() -> NoProvider:
    return NoProvider()


@pytest.fixture
def provisioner(binary: TerraformBinary, provider: NoProvider, tmp_path: Path) -> TerraformProvisioner:
    return TerraformProvisioner(
        binary=binary, work_dir=tmp_path / "work", provider=provider, access_url="http://gateway.test"
    )


def archive(text: str = SIMPLE, **more: str) -> bytes:
    return template_archive({"main.tf": text, **more})


async def build(
    provisioner: TerraformProvisioner,
    job_id: str = "job",
    data: bytes = b"",
    transition: Transition = Transition.START,
    state: bytes | None = None,
    log: RecordedLog | None = None,
) -> BuildResult:
    request = BuildRequest(job_id, "version", data or archive(), transition, state)
    return await provisioner.build(request, log or RecordedLog(), asyncio.Event())


def resources_in(state: bytes | None) -> list[str]:
    assert state is not None
    return [f"{resource['type']}.{resource['name']}" for resource in json.loads(state)["resources"]]


async def test_import_reads_variables_resources_and_readme(provisioner: TerraformProvisioner) -> None:
    log = RecordedLog()

    result = await provisioner.import_version(
        ImportRequest("job", "version", archive(**{"README.md": "# Hi"}), variables={"who": "you"}),
        log,
        asyncio.Event(),
    )

    assert [(variable.name, variable.value, variable.default_value) for variable in result.variables] == [
        ("who", "you", "world")
    ]
    assert [(spec.type, spec.name) for spec in result.start_resources] == [("terraform_data", "greeting")]
    assert result.stop_resources == result.start_resources
    assert result.readme == "# Hi"
    assert log.stages == [
        "Setting up",
        "Parsing template parameters",
        "Detecting persistent resources",
        "Detecting ephemeral resources",
        "Cleaning Up",
    ]
    assert "terraform_data.greeting: Plan to create" in log.outputs("Detecting persistent resources")
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == []


async def test_import_plans_start_and_stop_with_their_own_contexts(
    provisioner: TerraformProvisioner, provider: NoProvider
) -> None:
    await provisioner.import_version(
        ImportRequest("job", "version", archive(), environment={"CODER_WORKSPACE_NAME": "w"}),
        RecordedLog(),
        asyncio.Event(),
    )

    assert [dict(context.environment) for context in provider.contexts] == [
        {"CODER_WORKSPACE_NAME": "w", "CODER_WORKSPACE_TRANSITION": "start"},
        {"CODER_WORKSPACE_NAME": "w", "CODER_WORKSPACE_TRANSITION": "stop"},
    ]
    assert {(context.job_id, context.access_url) for context in provider.contexts} == {("job", "http://gateway.test")}


async def test_required_variable_without_value_fails_the_import_with_its_code(
    provisioner: TerraformProvisioner,
) -> None:
    log = RecordedLog()

    with pytest.raises(ProvisionError, match="region") as caught:
        await provisioner.import_version(
            ImportRequest("job", "version", archive('variable "region" {}\n')), log, asyncio.Event()
        )

    assert caught.value.code == "REQUIRED_TEMPLATE_VARIABLES"
    assert "region" in log.text
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == []


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ('resource "terraform_data" "a" {\n  input = "open\n}\n', ["main.tf:2"]),
        ('resource "terraform_data" "a" {\n  nonsense = 1\n}\n', ["main.tf:2", "Unsupported argument"]),
        ('resource "terraform_data" "a" {\n  input = var.absent\n}\n', ["main.tf:2", "undeclared input variable"]),
    ],
)
async def test_template_that_does_not_hold_fails_with_terraforms_diagnostic(
    provisioner: TerraformProvisioner, text: str, fragments: list[str]
) -> None:
    log = RecordedLog()

    with pytest.raises(ProvisionError) as caught:
        await provisioner.import_version(ImportRequest("job", "version", archive(text)), log, asyncio.Event())

    assert all(fragment in caught.value.message for fragment in fragments), caught.value.message
    assert "on main.tf line 2" in log.text
    assert LogLevel.ERROR in {line.level for line in log.lines}
    assert not (await build(provisioner, "after")).error


async def test_values_of_variables_are_neither_on_the_command_line_nor_in_the_environment(
    provisioner: TerraformProvisioner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GENBA_DATABASE_URL", "postgresql://our-own-secret")
    seen = tmp_path / "seen"
    text = f"""
    variable "key" {{
      sensitive = true
    }}
    resource "terraform_data" "spy" {{
      input = sha256(var.key)
      provisioner "local-exec" {{
        command = "env > {seen}; tr '\\\\0' ' ' < /proc/$PPID/cmdline >> {seen}"
      }}
    }}
    """
    request = BuildRequest("job", "v", archive(text), Transition.START, variables={"key": "top-secret"})
    log = RecordedLog()

    result = await provisioner.build(request, log, asyncio.Event())

    assert result.error == ""
    spied = await asyncio.to_thread(seen.read_text)
    assert "apply" in spied
    assert "GENBA_JOB_ID=job" in spied
    assert "secret" not in spied
    assert "top-secret" not in log.text


async def test_start_stop_and_delete_carry_the_state_along(provisioner: TerraformProvisioner) -> None:
    log = RecordedLog()
    started = await build(provisioner, "one", log=log)
    stopped = await build(provisioner, "two", transition=Transition.STOP, state=started.state)
    deleted_log = RecordedLog()
    deleted = await build(provisioner, "three", transition=Transition.DELETE, state=stopped.state, log=deleted_log)

    assert (started.error, stopped.error, deleted.error) == ("", "", "")
    assert [(spec.type, spec.name) for spec in started.resources] == [("terraform_data", "greeting")]
    assert resources_in(stopped.state) == ["terraform_data.greeting"]
    assert (resources_in(deleted.state), deleted.resources) == ([], ())
    assert log.stages == ["Setting up", "Planning infrastructure", "Starting workspace", "Cleaning Up"]
    assert "terraform_data.greeting: Creating..." in log.outputs("Starting workspace")
    assert any("greeting world" in line for line in log.outputs("Starting workspace"))
    assert deleted_log.stages[2] == "Destroying workspace"
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == ["one", "three", "two"]
    for job_id in ("one", "two", "three"):
        await provisioner.discard(job_id)
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == []


@pytest.mark.parametrize("state", [None, b"", b'{"version": 4, "serial": 1, "resources": []}'])
async def test_delete_without_resources_succeeds_without_terraform(
    provider: NoProvider, tmp_path: Path, state: bytes | None
) -> None:
    absent = TerraformBinary(Path("/absent/terraform"), "1.11.4", "terraform")
    provisioner = TerraformProvisioner(binary=absent, work_dir=tmp_path / "w", provider=provider, access_url="http://x")

    assert await build(provisioner, transition=Transition.DELETE, state=state) == BuildResult(state=state)


async def test_directory_and_state_are_private(provisioner: TerraformProvisioner, tmp_path: Path) -> None:
    started = await build(provisioner, "one")
    await build(provisioner, "two", state=started.state)

    job = tmp_path / "work/jobs/two"
    assert stat.S_IMODE((await asyncio.to_thread((tmp_path / "work").stat)).st_mode) == 0o700
    assert stat.S_IMODE((await asyncio.to_thread(job.stat)).st_mode) == 0o700
    assert stat.S_IMODE((await asyncio.to_thread((job / "source/terraform.tfstate").stat)).st_mode) == 0o600


async def test_failed_apply_keeps_what_was_made(provisioner: TerraformProvisioner) -> None:
    text = (
        SIMPLE
        + """
    resource "terraform_data" "broken" {
      input = terraform_data.greeting.output
      provisioner "local-exec" {
        command = "echo about to fail; exit 3"
      }
    }
    """
    )
    states: list[bytes] = []
    log = RecordedLog()

    async def keep(state: bytes) -> None:
        states.append(state)

    result = await provisioner.build(
        BuildRequest("job", "v", archive(text), Transition.START), log, asyncio.Event(), keep
    )

    assert "local-exec provisioner error" in result.error
    assert not result.canceled
    assert states == [result.state]
    assert sorted(resources_in(result.state)) == ["terraform_data.broken", "terraform_data.greeting"]
    assert any("about to fail" in line for line in log.outputs("Starting workspace"))


async def test_hostile_archive_is_the_builds_error(provisioner: TerraformProvisioner) -> None:
    result = await build(provisioner, data=template_archive({"../main.tf": ""}), state=b"before")

    assert "leaves the archive" in result.error
    assert result.state == b"before"


async def test_template_with_local_module_and_backend_is_initialised_once(
    provisioner: TerraformProvisioner,
) -> None:
    text = """
    terraform {
      backend "http" {
        address = "http://127.0.0.1:9/state"
      }
    }
    module "inner" {
      source = "./inner"
    }
    """
    data = archive(text, **{"inner/main.tf": 'resource "terraform_data" "x" {}\n'})
    first, second = RecordedLog(), RecordedLog()

    one = await build(provisioner, "one", data=data, log=first)
    two = await build(provisioner, "two", data=data, state=one.state, log=second)

    assert (one.error, two.error) == ("", "")
    assert resources_in(two.state) == ["terraform_data.x"]
    assert "backend is not used" in first.text
    assert "Initializing" in first.text
    assert "Initializing" not in second.text


async def test_builds_of_one_version_do_not_see_each_other(provisioner: TerraformProvisioner) -> None:
    text = """
    variable "n" {}
    resource "terraform_data" "x" {
      input = var.n
      provisioner "local-exec" {
        command = "echo ${var.n} > ${path.module}/note"
      }
    }
    """
    results: dict[str, BuildResult] = {}

    async def one(number: str) -> None:
        request = BuildRequest(f"job{number}", "v", archive(text), Transition.START, variables={"n": number})
        results[number] = await provisioner.build(request, RecordedLog(), asyncio.Event())

    async with asyncio.TaskGroup() as group:
        for number in "12345":
            group.create_task(one(number))

    for number, result in results.items():
        assert result.error == ""
        assert result.state is not None
        attributes = json.loads(result.state)["resources"][0]["instances"][0]["attributes"]
        assert attributes["output"] in (number, {"value": number, "type": "string"})


def mark_of(tmp_path: Path, job_id: str) -> Path:
    return tmp_path / "work/jobs" / job_id / "source/MARK"


async def test_cancel_keeps_the_state_and_leaves_no_process(provisioner: TerraformProvisioner, tmp_path: Path) -> None:
    cancel = asyncio.Event()
    results: list[BuildResult] = []

    async def run() -> None:
        request = BuildRequest("cancel-me", "v", archive(SLOW), Transition.START)
        results.append(await provisioner.build(request, RecordedLog(), cancel))

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        await eventually(mark_of(tmp_path, "cancel-me").exists)
        assert await asyncio.to_thread(marked_processes, "cancel-me") != []
        cancel.set()

    assert results[0].canceled
    assert sorted(resources_in(results[0].state)) == ["terraform_data.done", "terraform_data.slow"]
    assert await asyncio.to_thread(marked_processes, "cancel-me") == []


async def test_cancel_before_the_start_runs_nothing(provisioner: TerraformProvisioner) -> None:
    cancel = asyncio.Event()
    cancel.set()

    result = await provisioner.build(BuildRequest("job", "v", archive(), Transition.START), RecordedLog(), cancel)

    assert (result.canceled, result.state) == (True, None)


async def test_canceled_import_says_so(provisioner: TerraformProvisioner) -> None:
    cancel = asyncio.Event()
    cancel.set()

    with pytest.raises(ProvisionError, match="canceled"):
        await provisioner.import_version(ImportRequest("job", "v", archive()), RecordedLog(), cancel)


async def test_shutdown_hands_over_the_state_and_leaves_no_process(
    provisioner: TerraformProvisioner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "SHUTDOWN_GRACE_S", 10.0)
    states: list[bytes] = []

    async def keep(state: bytes) -> None:
        states.append(state)

    async with asyncio.TaskGroup() as group:
        request = BuildRequest("shut-down", "v", archive(SLOW), Transition.START)
        task = group.create_task(provisioner.build(request, RecordedLog(), asyncio.Event(), keep))
        await eventually(mark_of(tmp_path, "shut-down").exists)
        task.cancel()

    assert task.cancelled()
    assert sorted(resources_in(states[0])) == ["terraform_data.done", "terraform_data.slow"]
    assert await asyncio.to_thread(marked_processes, "shut-down") == []


async def test_gateway_killed_in_an_apply_is_recovered_by_the_next(
    provisioner: TerraformProvisioner, tmp_path: Path
) -> None:
    packed = tmp_path / "template.tar"
    await asyncio.to_thread(packed.write_bytes, archive(SLOW))
    gateway = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.build_process",
        tmp_path / "work",
        "killed",
        packed,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path])},
    )
    try:
        await eventually(mark_of(tmp_path, "killed").exists)
    finally:
        gateway.send_signal(signal.SIGKILL)
        await gateway.wait()
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == ["killed"]
    assert await asyncio.to_thread(marked_processes, "killed") != []

    state = await provisioner.recover("killed", keep=True)

    assert await asyncio.to_thread(marked_processes, "killed") == []
    assert "terraform_data.done" in resources_in(state)
    assert await provisioner.recover("killed") == state
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == []
    again = await build(provisioner, "killed", transition=Transition.DELETE, state=state, data=archive(SLOW))
    assert (again.error, resources_in(again.state)) == ("", [])


async def test_recovery_of_a_job_without_state_gives_none(provisioner: TerraformProvisioner, tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "work/jobs/early/source").mkdir, parents=True)

    assert await provisioner.recover("early") is None
    assert await provisioner.recover("never-was") is None
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == []


async def test_failing_log_does_not_stop_a_build(
    provisioner: TerraformProvisioner, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(line: object) -> None:
        raise OSError("no space")

    result = await provisioner.build(BuildRequest("job", "v", archive(), Transition.START), fail, asyncio.Event())

    assert result.error == ""
    assert "could not be stored" in caplog.text


async def test_a_build_tells_how_long_terraform_and_each_resource_took(provisioner: TerraformProvisioner) -> None:
    first = await build(provisioner)
    stages = [each.stage for each in first.timings if each.source == "terraform" and each.resource == "terraform"]
    assert stages[-2:] == [TimingStage.PLAN, TimingStage.APPLY]
    plan, apply = [each for each in first.timings if each.resource == "terraform"][-2:]
    of_resource = [each for each in first.timings if each.resource == "terraform_data.greeting"]
    assert [(each.stage, each.action) for each in of_resource] == [
        (TimingStage.APPLY, "create"),
        (TimingStage.APPLY, "provision"),
    ]
    assert plan.started_at <= plan.ended_at <= apply.ended_at
    assert all(each.started_at <= each.ended_at <= apply.ended_at for each in of_resource)
    assert {each.source for each in of_resource} == {"terraform"}
    second = await build(provisioner, "next", transition=Transition.DELETE, state=first.state)
    actions = [each.action for each in second.timings if each.resource == "terraform_data.greeting"]
    assert actions == ["read", "delete"]
