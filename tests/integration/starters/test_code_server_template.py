"""code-server in the plan of the `host` starter, under real Terraform."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from genba_gateway.provider.host import ProviderHost
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.starters import read_starter
from tests.support.provider_terraform import Workdir

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="host workspaces need Linux")

START = {"CODER_WORKSPACE_ID": "5ad2ad67-1ee7-4f0e-b7c5-0b4f1b5f3a4e", "CODER_WORKSPACE_TRANSITION": "start"}


@pytest.fixture
def workdir(short_dir: Path) -> Workdir:
    folder = short_dir / "t"
    shutil.copytree(read_starter("host"), folder)
    return Workdir(folder, ProviderHost(short_dir / "r", HostWorkspaces(short_dir / "h", ("/bin/true",))))


async def plan(workdir: Workdir, **variables: str) -> dict[str, dict[str, Any]]:
    """What would be made, by address."""
    given = [f"-var={name}={value}" for name, value in variables.items()]
    code, output = await workdir.run(START, "plan", "-input=false", "-out=p", *given)
    assert code == 0, output
    shown = await workdir.show("p")
    return {each["address"]: each["values"] for each in shown["planned_values"]["root_module"]["resources"]}


def read_variable(settings: str, name: str) -> str:
    """What a variable has after the settings, in a shell."""
    command = ["/bin/sh", "-c", f'{settings}\nprintf %s "${name}"']
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_it_is_an_app_on_a_socket_below_the_home_that_its_owner_alone_may_open(workdir: Workdir) -> None:
    app = (await plan(workdir))["coder_app.code_server[0]"]
    assert (app["slug"], app["url"], app["share"]) == ("code-server", "http+unix://.code-server%2Fsocket/", "owner")
    (check,) = app["healthcheck"]
    assert check["url"] == "http+unix://.code-server%2Fsocket/healthz"
    assert check["interval"] * check["threshold"] <= 30


async def test_nobody_waits_for_its_script_and_settings_reach_it_as_they_are(workdir: Workdir) -> None:
    folder = "/opt/it's $HOME"
    script = (await plan(workdir, code_server_folder=folder))["coder_script.code_server[0]"]
    assert (script["run_on_start"], script["start_blocks_login"]) == (False, False)
    first, *settings = script["script"].partition("# Runs code-server")[0].splitlines()
    assert first == "#!/bin/sh"
    assert read_variable("\n".join(settings), "code_server_folder") == folder


async def test_it_can_be_turned_off(workdir: Workdir) -> None:
    assert not [address for address in await plan(workdir, code_server="false") if "code_server" in address]
