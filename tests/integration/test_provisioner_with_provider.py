"""Imports and builds with the real Terraform and our own hosted `coder` provider."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import (
    AgentSpec,
    AppHealthcheck,
    BuildRequest,
    BuildResult,
    ImportRequest,
    ResourceSpec,
    TemplatePreset,
    Transition,
)
from genba_gateway.errors import ProvisionError
from genba_gateway.provider.host import ProviderHost
from genba_gateway.provisioner.terraform import TerraformProvisioner
from genba_gateway.provisioner.terraform_binary import find_terraform
from tests.support.provisioning import RecordedLog
from tests.support.template_archives import template_archive

TEMPLATE = """
terraform {
  required_providers {
    coder = {
      source  = "coder/coder"
      version = "~> 2.0"
    }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_parameter" "cpu" {
  name         = "cpu"
  display_name = "CPU"
  type         = "number"
  default      = 2
  mutable      = true
  validation {
    min       = 1
    max       = 8
    monotonic = "increasing"
  }
}
data "coder_parameter" "region" {
  name  = "region"
  order = -1
  option {
    name  = "Europe"
    value = "eu"
  }
  option {
    name  = "Asia"
    value = "as"
  }
}
resource "coder_agent" "main" {
  os             = "linux"
  arch           = "amd64"
  dir            = "/home/dev"
  startup_script = "echo ready"
  env = {
    REGION = data.coder_parameter.region.value
  }
  metadata {
    key      = "load"
    script   = "uptime"
    interval = 10
  }
  display_apps {
    vscode          = false
    vscode_insiders = false
    web_terminal    = true
  }
}
resource "coder_env" "name" {
  agent_id = coder_agent.main.id
  name     = "OWNER"
  value    = data.coder_workspace_owner.me.name
}
resource "coder_script" "nightly" {
  agent_id     = coder_agent.main.id
  display_name = "Nightly"
  script       = "true"
  cron         = "0 0 3 * * *"
}
module "code" {
  source   = "./code"
  count    = data.coder_workspace.me.start_count
  agent_id = coder_agent.main.id
}
resource "terraform_data" "workspace" {
  count = data.coder_workspace.me.start_count
  input = coder_agent.main.token
}
resource "terraform_data" "volume" {
  input = data.coder_workspace.me.id
}
resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.workspace[0].id
  icon        = "/icon/box.svg"
  item {
    key   = "cpu"
    value = data.coder_parameter.cpu.value
  }
}
"""
CODE_MODULE = """
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}
variable "agent_id" {}
resource "coder_app" "code" {
  agent_id = var.agent_id
  slug     = "code"
  url      = "http://localhost:13337"
  healthcheck {
    url       = "http://localhost:13337/healthz"
    interval  = 5
    threshold = 6
  }
}
"""
ARCHIVE = template_archive({"main.tf": TEMPLATE, "code/main.tf": CODE_MODULE})


def parameter(name: str) -> str:
    return f"CODER_PARAMETER_{sha256(name.encode()).hexdigest()}"


ENVIRONMENT = {
    "CODER_WORKSPACE_NAME": "dev",
    "CODER_WORKSPACE_ID": "6f4d1b8e-3f0e-4b47-8f5e-9c3a5a1f0001",
    "CODER_WORKSPACE_OWNER": "alice",
    parameter("region"): "eu",
}


@pytest.fixture
def provider(short_dir: Path) -> ProviderHost:
    return ProviderHost(short_dir, None)


@pytest.fixture
async def provisioner(provider: ProviderHost, tmp_path: Path) -> TerraformProvisioner:
    binary = await find_terraform(None, tmp_path / "bin", print)
    return TerraformProvisioner(
        binary=binary, work_dir=tmp_path / "work", provider=provider, access_url="http://gateway.test"
    )


async def build(
    provisioner: TerraformProvisioner, job_id: str, transition: Transition, state: bytes | None = None
) -> BuildResult:
    log = RecordedLog()
    result = await provisioner.build(
        BuildRequest(job_id, "version", ARCHIVE, transition, state, ENVIRONMENT), log, asyncio.Event()
    )
    assert result.error == "", log.text
    return result


def by_name(resources: tuple[ResourceSpec, ...]) -> dict[str, ResourceSpec]:
    return {f"{spec.type}.{spec.name}": spec for spec in resources}


def only_agent(resources: tuple[ResourceSpec, ...]) -> AgentSpec:
    (agent,) = (agent for spec in resources for agent in spec.agents)
    return agent


async def test_import_finds_parameters_and_agents(provisioner: TerraformProvisioner) -> None:
    result = await provisioner.import_version(ImportRequest("job", "version", ARCHIVE), RecordedLog(), asyncio.Event())

    region, cpu = result.parameters
    assert (region.name, region.required, [option.value for option in region.options]) == ("region", True, ["eu", "as"])
    assert (cpu.type, cpu.default_value, cpu.required, cpu.mutable) == ("number", "2", False, True)
    assert (cpu.validation_min, cpu.validation_max, cpu.validation_monotonic) == (1, 8, "increasing")
    agent = only_agent(result.start_resources)
    assert (agent.name, agent.token, [app.slug for app in agent.apps]) == ("main", "", ["code"])
    assert by_name(result.start_resources)["terraform_data.workspace"].agents == (agent,)
    assert [script.display_name for script in agent.scripts] == ["Startup Script", "Nightly"]
    assert "terraform_data.workspace" not in by_name(result.stop_resources)
    assert "terraform_data.volume" in by_name(result.stop_resources)
    assert all(spec.agents == () for spec in result.stop_resources)


async def test_a_dry_run_plans_with_the_values_that_were_given_and_leaves_nothing(
    provisioner: TerraformProvisioner,
) -> None:
    environment = {**ENVIRONMENT, "CODER_WORKSPACE_NAME": "mine", parameter("cpu"): "4"}
    request = ImportRequest("job", "version", ARCHIVE, environment, is_dry_run=True)
    log = RecordedLog()
    result = await provisioner.import_version(request, log, asyncio.Event())
    found = by_name(result.start_resources)
    assert found["terraform_data.workspace"].metadata[0].value == "4"
    assert only_agent(result.start_resources).environment["REGION"] == "eu"
    assert result.stop_resources == ()
    assert await asyncio.to_thread(provisioner.list_leftover_jobs) == []
    refused = ImportRequest("two", "version", ARCHIVE, {**environment, parameter("cpu"): "9"}, is_dry_run=True)
    with pytest.raises(ProvisionError):
        await provisioner.import_version(refused, RecordedLog(), asyncio.Event())


async def test_build_gives_the_agent_with_all_its_parts(provisioner: TerraformProvisioner) -> None:
    result = await build(provisioner, "job", Transition.START)

    agent = only_agent(result.resources)
    assert len(agent.token) == 36
    assert dict(agent.environment) == {"REGION": "eu", "OWNER": "alice"}
    assert (agent.directory, agent.display_apps) == (
        "/home/dev",
        ("web_terminal", "port_forwarding_helper", "ssh_helper"),
    )
    assert [(spec.key, spec.interval_s) for spec in agent.metadata] == [("load", 10)]
    assert [script.cron for script in agent.scripts] == ["", "0 0 3 * * *"]
    (app,) = agent.apps
    assert app.healthcheck == AppHealthcheck("http://localhost:13337/healthz", 5, 6)
    workspace = by_name(result.resources)["terraform_data.workspace"]
    assert workspace == result.resources[0]
    assert (workspace.icon, [(item.key, item.value) for item in workspace.metadata]) == (
        "/icon/box.svg",
        [("cpu", "2")],
    )


async def test_workspace_stops_starts_with_a_new_token_and_is_deleted(provisioner: TerraformProvisioner) -> None:
    first = await build(provisioner, "start", Transition.START)
    stopped = await build(provisioner, "stop", Transition.STOP, first.state)
    second = await build(provisioner, "again", Transition.START, stopped.state)
    deleted = await build(provisioner, "delete", Transition.DELETE, second.state)

    assert all(spec.agents == () for spec in stopped.resources)
    assert only_agent(second.resources).token != only_agent(first.resources).token
    assert deleted.resources == ()


async def test_invalid_parameter_value_is_the_builds_error(provisioner: TerraformProvisioner) -> None:
    environment = {**ENVIRONMENT, parameter("cpu"): "99"}
    request = BuildRequest("job", "version", ARCHIVE, Transition.START, None, environment)

    result = await provisioner.build(request, RecordedLog(), asyncio.Event())

    assert "main.tf" in result.error
    assert "99" in result.error


async def test_secrets_for_the_provider_stay_out_of_terraforms_environment(
    provisioner: TerraformProvisioner, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    text = f"""
    data "coder_workspace_owner" "me" {{}}
    resource "terraform_data" "spy" {{
      input = sha256(data.coder_workspace_owner.me.session_token)
      provisioner "local-exec" {{
        command = "env > {seen}"
      }}
    }}
    """
    environment = {**ENVIRONMENT, "CODER_WORKSPACE_OWNER_SESSION_TOKEN": "top-secret"}
    request = BuildRequest("job", "spy", template_archive({"main.tf": text}), Transition.START, None, environment)

    result = await provisioner.build(request, RecordedLog(), asyncio.Event())

    assert result.error == ""
    spied = await asyncio.to_thread(seen.read_text)
    assert "TF_REATTACH_PROVIDERS" in spied
    assert "top-secret" not in spied
    assert "CODER_" not in spied


async def test_two_parameters_of_one_name_are_refused(provisioner: TerraformProvisioner) -> None:
    text = 'data "coder_parameter" "a" {\n  name = "same"\n}\ndata "coder_parameter" "b" {\n  name = "same"\n}\n'

    with pytest.raises(ProvisionError, match="two parameters named 'same'"):
        await provisioner.import_version(
            ImportRequest("job", "version", template_archive({"main.tf": text})), RecordedLog(), asyncio.Event()
        )


PRESETS = """
data "coder_parameter" "region" {
  name    = "region"
  default = "eu"
}
data "coder_workspace_preset" "asia" {
  name        = "Asia"
  description = "Near Tokyo"
  default     = true
  parameters = {
    (data.coder_parameter.region.name) = "as"
  }
  prebuilds {
    instances = 1
    expiration_policy {
      ttl = 86400
    }
    scheduling {
      timezone = "UTC"
      schedule {
        cron      = "* 8-18 * * 1-5"
        instances = 5
      }
    }
  }
}
data "coder_workspace_preset" "plain" {
  name = "A plain one"
}
"""


async def test_presets_are_read_from_a_plan(provisioner: TerraformProvisioner) -> None:
    request = ImportRequest("job", "version", template_archive({"main.tf": PRESETS}))
    found = await provisioner.import_version(request, RecordedLog(), asyncio.Event())
    assert found.presets == (
        TemplatePreset("Asia", {"region": "as"}, "Near Tokyo", is_default=True),
        TemplatePreset("A plain one", {}),
    )
