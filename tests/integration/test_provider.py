"""The `coder/coder` provider under real Terraform: plans, states, refusals."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from genba_gateway.provider.context import ProviderContext
from genba_gateway.provider.host import ProviderHost
from tests.support.provider_terraform import (
    ACCESS_URL,
    PINNED_TOKEN,
    Outcome,
    Workdir,
    parameter,
    previous_parameter,
)

WORKSPACE = """
terraform {
  required_providers {
    coder = {
      source  = "coder/coder"
      version = "~> 99.1"
    }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_provisioner" "me" {}
resource "coder_agent" "main" {
  os             = "linux"
  arch           = "amd64"
  startup_script = "echo ${data.coder_workspace_owner.me.name}"
  env            = { LINE = "LABEL" }
  metadata {
    key      = "load"
    script   = "uptime"
    interval = 10
  }
  resources_monitoring {
    volume {
      path      = "/home"
      enabled   = true
      threshold = 80
    }
  }
}
resource "coder_app" "editor" {
  agent_id = coder_agent.main.id
  slug     = "editor"
  url      = "http://localhost:8080"
  healthcheck {
    url       = "http://localhost:8080/healthz"
    interval  = 5
    threshold = 6
  }
}
resource "coder_script" "hourly" {
  agent_id     = coder_agent.main.id
  display_name = "hourly"
  script       = "true"
  cron         = "0 0 * * * *"
}
resource "coder_env" "shell" {
  agent_id = coder_agent.main.id
  name     = "EDITOR"
}
resource "terraform_data" "compute" {
  count            = data.coder_workspace.me.start_count
  triggers_replace = coder_agent.main.token
}
resource "coder_metadata" "compute" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.compute[0].id
  item {
    key = "absent"
  }
  item {
    key   = "empty"
    value = ""
  }
}
"""

START = {
    "CODER_WORKSPACE_TRANSITION": "start",
    "CODER_WORKSPACE_ID": "5ad2ad67-1ee7-4f0e-b7c5-0b4f1b5f3a4e",
    "CODER_WORKSPACE_NAME": "dev",
    "CODER_WORKSPACE_OWNER": "ada",
    "CODER_WORKSPACE_OWNER_GROUPS": '["engineers"]',
    "CODER_WORKSPACE_OWNER_RBAC_ROLES": '[{"name": "member", "org_id": ""}]',
    "CODER_AGENT_SCRIPT_linux_amd64": "get ${ACCESS_URL}bin/x with ${AUTH_TYPE}",
    **PINNED_TOKEN,
}


@pytest.fixture
def workdir(short_dir: Path) -> Workdir:
    """An empty template folder; workspaces on this machine are not allowed."""
    folder = short_dir / "t"
    folder.mkdir()
    return Workdir(folder, ProviderHost(short_dir / "r", None))


def without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


async def test_apply_fills_the_state_as_the_real_provider_does(workdir: Workdir) -> None:
    workdir.write(WORKSPACE)
    outcome = await workdir.apply(START)
    assert outcome.code == 0, outcome.errors

    state = await workdir.state()

    agent = state["coder_agent.main"]
    # Attributes that nobody set are null at the top and zero values inside blocks.
    assert without(agent, "id") == {
        "api_key_scope": "all",
        "arch": "amd64",
        "auth": "token",
        "connection_timeout": 120,
        "dir": None,
        "display_apps": [
            {
                "port_forwarding_helper": True,
                "ssh_helper": True,
                "vscode": True,
                "vscode_insiders": False,
                "web_terminal": True,
            }
        ],
        "env": {"LINE": "LABEL"},
        "init_script": f"get {ACCESS_URL}/bin/x with token",
        "metadata": [{"display_name": "", "interval": 10, "key": "load", "order": 0, "script": "uptime", "timeout": 0}],
        "motd_file": None,
        "order": None,
        "os": "linux",
        "resources_monitoring": [{"memory": [], "volume": [{"enabled": True, "path": "/home", "threshold": 80}]}],
        "shutdown_script": None,
        "startup_script": "echo ada",
        "startup_script_behavior": "non-blocking",
        "token": "pinned",
        "troubleshooting_url": None,
    }
    assert state["coder_app.editor"]["agent_id"] == agent["id"]
    assert state["coder_app.editor"]["share"] == "owner"
    assert state["coder_script.hourly"]["timeout"] == 0
    assert state["coder_env.shell"]["value"] is None
    assert state["coder_metadata.compute[0]"]["item"] == [
        {"key": "absent", "value": "", "sensitive": False, "is_null": True},
        {"key": "empty", "value": "", "sensitive": False, "is_null": False},
    ]
    workspace = state["data.coder_workspace.me"]
    assert (workspace["name"], workspace["start_count"], workspace["access_port"]) == ("dev", 1, 3000)
    owner = state["data.coder_workspace_owner.me"]
    assert (owner["groups"], owner["rbac_roles"]) == (["engineers"], [{"name": "member", "org_id": ""}])
    assert owner["login_type"] is None


async def test_plan_says_what_is_not_known_yet(workdir: Workdir) -> None:
    workdir.write(WORKSPACE)
    assert (await workdir.plan(START)).code == 0

    planned = await workdir.show("p")

    changes = {each["address"]: each["change"] for each in planned["resource_changes"]}
    unknown = changes["coder_agent.main"]["after_unknown"]
    # The block that the provider fills is unknown as a whole.
    assert unknown["display_apps"] is True
    assert without(unknown, "display_apps", "metadata", "resources_monitoring", "env") == {
        "id": True,
        "init_script": True,
        "token": True,
    }
    assert changes["coder_agent.main"]["after"]["metadata"][0]["timeout"] is None
    items = changes["coder_metadata.compute[0]"]
    assert items["after_unknown"]["item"] == [{"is_null": True}, {"is_null": True}]
    assert [each["value"] for each in items["after"]["item"]] == [None, ""]


async def test_second_plan_is_empty_while_the_token_stays(workdir: Workdir) -> None:
    workdir.write(WORKSPACE)
    assert (await workdir.apply(START)).code == 0

    assert (await workdir.plan(START)).changes == {}


async def test_refresh_makes_a_new_token_which_replaces_the_compute(workdir: Workdir) -> None:
    workdir.write(WORKSPACE)
    inputs = without(START, *PINNED_TOKEN)
    assert (await workdir.apply(inputs)).code == 0
    before = await workdir.state()

    outcome = await workdir.apply(inputs)

    assert outcome.changes == {"terraform_data.compute[0]": "replace", "coder_metadata.compute[0]": "replace"}
    after = await workdir.state()
    assert after["coder_agent.main"]["id"] == before["coder_agent.main"]["id"]
    assert after["coder_agent.main"]["token"] != before["coder_agent.main"]["token"]


async def test_change_in_a_block_replaces_the_resource(workdir: Workdir) -> None:
    workdir.write(WORKSPACE)
    assert (await workdir.apply(START)).code == 0
    workdir.write(WORKSPACE.replace("threshold = 6", "threshold = 7"))

    outcome = await workdir.apply(START)

    assert outcome.changes == {"coder_app.editor": "replace"}
    assert (await workdir.state())["coder_app.editor"]["healthcheck"][0]["threshold"] == 7
    assert (await workdir.plan(START)).changes == {}


async def test_stop_removes_what_counts_on_start_and_destroy_the_rest(workdir: Workdir) -> None:
    workdir.write(WORKSPACE)
    assert (await workdir.apply(START)).code == 0

    stopped = await workdir.apply({**START, "CODER_WORKSPACE_TRANSITION": "stop"})
    assert stopped.changes == {"terraform_data.compute[0]": "delete", "coder_metadata.compute[0]": "delete"}

    assert (await workdir.destroy(START)).code == 0
    assert await workdir.state() == {}


async def test_template_without_required_providers_finds_the_provider(workdir: Workdir) -> None:
    workdir.write('resource "coder_agent" "a" {\n  os   = "linux"\n  arch = "arm64"\n}\n')

    outcome = await workdir.apply()

    assert outcome.code == 0, outcome.errors
    assert (await workdir.state())["coder_agent.a"]["arch"] == "arm64"


async def test_provider_block_sets_the_url(workdir: Workdir) -> None:
    workdir.write('provider "coder" {\n  url = "https://other.test"\n}\ndata "coder_workspace" "me" {}\n')
    assert (await workdir.apply()).code == 0

    workspace = (await workdir.state())["data.coder_workspace.me"]

    assert (workspace["access_url"], workspace["access_port"]) == ("https://other.test", 443)


async def test_values_with_refined_unknowns_are_planned(workdir: Workdir) -> None:
    workdir.write(
        """
        resource "terraform_data" "later" {
          input = "x"
        }
        resource "coder_agent" "a" {
          os   = "linux"
          arch = "amd64"
          dir  = "/work/${terraform_data.later.id}"
          env  = { A = "known", B = "x-${terraform_data.later.id}" }
          dynamic "metadata" {
            for_each = terraform_data.later.id == "" ? [] : [1]
            content {
              key      = "k"
              script   = terraform_data.later.id
              interval = 1
            }
          }
        }
        """
    )
    outcome = await workdir.apply(PINNED_TOKEN)
    assert outcome.code == 0, outcome.errors

    agent = (await workdir.state())["coder_agent.a"]

    later = (await workdir.state())["terraform_data.later"]["id"]
    assert agent["dir"] == f"/work/{later}"
    assert agent["env"] == {"A": "known", "B": f"x-{later}"}
    assert agent["metadata"][0]["script"] == later
    assert (await workdir.plan(PINNED_TOKEN)).changes == {}


async def test_state_of_an_older_schema_is_read(workdir: Workdir) -> None:
    workdir.write('resource "coder_agent" "a" {\n  os   = "linux"\n  arch = "amd64"\n}\n')
    assert (await workdir.apply(PINNED_TOKEN)).code == 0
    state_file = workdir.path / "terraform.tfstate"
    state = json.loads(state_file.read_text())
    attributes = state["resources"][0]["instances"][0]["attributes"]
    attributes["login_before_ready"] = True
    del attributes["api_key_scope"], attributes["resources_monitoring"]
    state["resources"][0]["instances"][0]["schema_version"] = 0
    state_file.write_text(json.dumps(state))

    outcome = await workdir.plan(PINNED_TOKEN)

    # An attribute that the state lacks counts as changed, like any other.
    assert outcome.code == 0, outcome.errors
    assert outcome.changes == {"coder_agent.a": "replace"}


async def test_resource_that_is_not_there_yet_gets_terraforms_own_error(workdir: Workdir) -> None:
    workdir.write('data "coder_external_auth" "git" {\n  id = "git"\n}\n')

    outcome = await workdir.plan()

    assert outcome.code == 1
    assert 'does not support data source "coder_external_auth"' in outcome.errors


async def test_import_is_refused(workdir: Workdir) -> None:
    workdir.write('resource "coder_agent" "a" {\n  os   = "linux"\n  arch = "amd64"\n}\n')

    code, output = await workdir.run({}, "import", "-no-color", "coder_agent.a", "x")

    assert code == 1
    assert "coder_agent can't be imported" in output


REFUSED = {
    "choice": ('resource "coder_agent" "x"', 'os = "plan9"\narch = "amd64"', "os can't have", 'os = "plan9"'),
    "conflict": (
        'resource "coder_app" "x"',
        'agent_id = "a"\nslug = "s"\nurl = "http://x"\ncommand = "y"',
        "Remove either url or command",
        'url = "http://x"',
    ),
    "range": (
        'resource "coder_agent" "x"',
        'os = "linux"\narch = "amd64"\nconnection_timeout = -1',
        "at least 0",
        "connection_timeout = -1",
    ),
    "too many": (
        'resource "coder_agent" "x"',
        'os = "linux"\narch = "amd64"\ndisplay_apps {\n}\ndisplay_apps {\nvscode = false\n}',
        "Too many display_apps blocks",
        "display_apps {",
    ),
    "schedule": (
        'resource "coder_script" "x"',
        'agent_id = "a"\ndisplay_name = "d"\nscript = "s"\ncron = "0 99 * * * *"',
        "'99' can't be the minute",
        "cron =",
    ),
    "default of the wrong type": (
        'data "coder_parameter" "x"',
        'name = "n"\ntype = "number"\ndefault = "many"',
        "'many' is not a number",
        'default = "many"',
    ),
    "default not among the options": (
        'data "coder_parameter" "x"',
        'name = "n"\ndefault = "c"\noption {\nname = "A"\nvalue = "a"\n}',
        "no option with the value 'c'",
        'default = "c"',
    ),
    "expression": (
        'data "coder_parameter" "x"',
        'name = "n"\nvalidation {\nregex = "(?=a)"\nerror = "e"\n}',
        "Write it in RE2 syntax",
        "regex =",
    ),
    "immutable and ephemeral": (
        'data "coder_parameter" "x"',
        'name = "n"\nephemeral = true\ndefault = "a"',
        "Set mutable = true",
        "ephemeral = true",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refusal_names_the_remedy_and_points_at_the_line(workdir: Workdir, case: str) -> None:
    block, body, remedy, line = REFUSED[case]
    workdir.write(f"{block} {{\n{body}\n}}\n")

    outcome = await workdir.plan()

    assert outcome.code == 1
    assert remedy in outcome.errors
    assert line in outcome.errors


NUMBER = 'data "coder_parameter" "n" {\nname = "n"\ntype = "number"\nmutable = true\n'


async def plan_number(workdir: Workdir, rest: str, inputs: Mapping[str, str]) -> Outcome:
    workdir.write(f"{NUMBER}{rest}\n}}\n")
    return await workdir.plan(inputs)


async def test_parameter_takes_the_users_value(workdir: Workdir) -> None:
    outcome = await plan_number(workdir, "default = 2\nvalidation {\nmin = 1\n}", parameter("n", "7"))
    assert outcome.code == 0, outcome.errors

    values = (await workdir.show("p"))["prior_state"]["values"]["root_module"]["resources"][0]["values"]

    assert values["value"] == "7"
    assert (values["default"], values["optional"], values["form_type"]) == ("2", True, "input")
    assert values["option"] is None
    assert values["validation"] == [
        {
            "error": "",
            "max": 0,
            "max_disabled": True,
            "min": 1,
            "min_disabled": False,
            "monotonic": "",
            "regex": "",
        }
    ]


async def test_users_value_is_held_against_the_rules(workdir: Workdir) -> None:
    rest = 'default = 2\nvalidation {\nmin = 1\nmax = 9\nerror = "{value} is not from {min} to {max}"\n}'

    outcome = await plan_number(workdir, rest, parameter("n", "12"))

    assert "12 is not from 1 to 9" in outcome.errors


async def test_monotonic_parameter_compares_with_the_build_before(workdir: Workdir) -> None:
    rest = 'default = 2\nvalidation {\nmonotonic = "increasing"\n}'

    grown = await plan_number(workdir, rest, parameter("n", "4") | previous_parameter("n", "3"))
    shrunk = await plan_number(workdir, rest, parameter("n", "2") | previous_parameter("n", "3"))

    assert grown.code == 0
    assert "can only grow" in shrunk.errors


async def test_required_parameter_is_judged_in_builds_only(workdir: Workdir) -> None:
    rest = "validation {\nmin = 1\n}"

    imported = await plan_number(workdir, rest, {})
    built = await plan_number(workdir, rest, {"CODER_WORKSPACE_BUILD_ID": "b"})

    assert imported.code == 0, imported.errors
    assert "is not a whole number" in built.errors


async def test_builds_of_one_host_do_not_see_each_others_inputs(short_dir: Path) -> None:
    host = await asyncio.to_thread(ProviderHost, short_dir / "r", None)
    names = [f"w{number}" for number in range(4)]
    dirs = [Workdir(short_dir / name, host) for name in names]
    for each in dirs:
        each.path.mkdir()
        each.write('data "coder_workspace" "me" {}\n')

    async with asyncio.TaskGroup() as group:
        for name, each in zip(names, dirs, strict=True):
            group.create_task(each.apply({"CODER_WORKSPACE_NAME": name}))

    assert [(await each.state())["data.coder_workspace.me"]["name"] for each in dirs] == names


async def test_sockets_are_private_and_end_with_the_build(short_dir: Path) -> None:
    runtime = short_dir / "r"
    host = await asyncio.to_thread(ProviderHost, runtime, None)

    async with host.serve(ProviderContext("job", ACCESS_URL, {"CODER_X": "secret"})) as variables:
        entries = json.loads(variables["TF_REATTACH_PROVIDERS"])
        sockets = {each["Addr"]["String"] for each in entries.values()}
        assert {Path(each) for each in sockets} == set(runtime.iterdir())
        assert "secret" not in variables["TF_REATTACH_PROVIDERS"]

    assert list(runtime.iterdir()) == []
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert entries["registry.terraform.io/coder/coder"] == entries["registry.opentofu.org/coder/coder"]
    assert entries["registry.terraform.io/coder/coder"] != entries["registry.terraform.io/genba/genba"]
    # Without Test Terraform would kill the process of that pid.
    assert all(each["Test"] is True and each["Pid"] == os.getpid() for each in entries.values())
