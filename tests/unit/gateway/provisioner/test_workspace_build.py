"""A build's way through its job's directory; a script stands in for Terraform, and real one is in tests/integration."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import BuildRequest, Transition
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.init_lock import InitLock
from genba_gateway.provisioner.job_log import JobLog
from genba_gateway.provisioner.job_workspace import JobWorkspace, ProvisionerSettings
from genba_gateway.provisioner.template_cache import TemplateCache
from genba_gateway.provisioner.template_import import TRANSITION_VARIABLE
from genba_gateway.provisioner.terraform_binary import TerraformBinary
from genba_gateway.provisioner.terraform_commands import TerraformFailed
from genba_gateway.provisioner.workspace_build import Applied, WorkspaceBuild
from tests.support.provisioning import NoProvider, RecordedLog
from tests.support.template_archives import template_archive

ARCHIVE = template_archive({"main.tf": 'variable "size" {}\n'})

SCRIPT = """#!/bin/sh
echo "$1" >>{folder}/calls
case $1 in
graph) echo "digraph {{}}";;
apply)
  cat terraform.tfstate >{folder}/before 2>/dev/null
  for word in "$@"; do case $word in -var-file=*) cat "${{word#-var-file=}}" >{folder}/variables;; esac; done
  case " $* " in *" -destroy "*) echo destroyed >>{folder}/calls;; esac
  {then};;
esac
"""


class Stage:
    """A provisioner's folder, its provider and log, and what Terraform was told."""

    def __init__(self, folder: Path, then: str = "echo new >terraform.tfstate") -> None:
        self.folder = folder
        self.provider = NoProvider()
        self.log = RecordedLog()
        program = folder / "terraform"
        program.write_text(SCRIPT.format(folder=folder, then=then))
        program.chmod(0o755)
        self.settings = ProvisionerSettings(
            binary=TerraformBinary(program, "1.11.4", "terraform"),
            jobs_dir=folder / "jobs",
            cli_config=folder / "terraform.rc",
            cache=TemplateCache(folder / "versions"),
            provider=self.provider,
            access_url="http://gateway.test",
            cancel_grace_s=30.0,
            init_limit_s=30.0,
            init_lock=InitLock(),
        )

    async def build(
        self, transition: Transition = Transition.START, *, job: str = "one", state: bytes | None = None
    ) -> tuple[Applied, JobWorkspace]:
        workspace = JobWorkspace(self.settings, job, JobLog(self.log), asyncio.Event())
        await asyncio.to_thread(workspace.directory.create)
        request = BuildRequest(job, "v1", ARCHIVE, transition, state, {"CODER_WORKSPACE_NAME": "dev"}, {"size": "xl"})
        return await WorkspaceBuild(workspace, request).run(), workspace

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.mark.parametrize(
    ("transition", "told"), [(Transition.START, "start"), (Transition.STOP, "stop"), (Transition.DELETE, "destroy")]
)
async def test_a_build_applies_the_template_with_its_values_and_the_state_before(
    tmp_path: Path, transition: Transition, told: str
) -> None:
    stage = Stage(tmp_path)
    _, workspace = await stage.build(transition, state=b'{"serial": 7}')
    (context,) = stage.provider.contexts
    assert dict(context.environment) == {"CODER_WORKSPACE_NAME": "dev", TRANSITION_VARIABLE: told}
    assert stage.read("before") == '{"serial": 7}'
    assert '"size": "xl"' in stage.read("variables").replace('":"', '": "')
    assert ("destroyed" in stage.read("calls")) is (transition is Transition.DELETE)
    assert await asyncio.to_thread(workspace.directory.read_state) == b"new\n"


async def test_a_first_build_begins_without_a_state(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    applied, _ = await stage.build()
    assert stage.read("before") == ""
    assert applied.resources(None) == ()


async def test_the_graph_is_made_once_for_a_version(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    for job in ("one", "two"):
        await stage.build(job=job)
    assert stage.read("calls").split() == ["graph", "apply", "apply"]


async def test_what_is_written_is_for_the_gateways_user_alone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, then="true")
    _, workspace = await stage.build(state=b"secret")
    for path in (workspace.directory.variables_path, workspace.directory.state_path):
        assert (await asyncio.to_thread(path.stat)).st_mode & 0o077 == 0


async def test_a_failed_apply_is_an_error_and_leaves_its_state(tmp_path: Path) -> None:
    stage = Stage(tmp_path, then="echo half >terraform.tfstate; exit 1")
    with pytest.raises(TerraformFailed):
        await stage.build(state=b"before")
    workspace = JobWorkspace(stage.settings, "one", JobLog(stage.log), asyncio.Event())
    assert await asyncio.to_thread(workspace.directory.read_state) == b"half\n"


async def test_a_template_that_can_not_be_understood_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    program = stage.settings.binary.path
    await asyncio.to_thread(program.write_text, "#!/bin/sh\necho no graph >&2\nexit 1\n")
    with pytest.raises(ProvisionError):
        await stage.build()
    left = await asyncio.to_thread(lambda: [each.name for each in (tmp_path / "versions").rglob("main.tf")])
    assert left == []
