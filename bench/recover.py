"""How soon a workspace can be built again after the gateway was killed in the middle of an apply."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from bench.figures import Benchmark, Figure, median
from tests.support.real_gateway import RealGateway

TURNS = 5
MARKER = "genba-bench-recover"
TEMPLATE = f"""
data "coder_workspace" "me" {{}}

data "coder_parameter" "slow" {{
  name    = "slow"
  type    = "bool"
  default = "false"
  mutable = true
}}

resource "terraform_data" "slow" {{
  input            = data.coder_parameter.slow.value
  triggers_replace = [data.coder_parameter.slow.value]
  provisioner "local-exec" {{
    command = data.coder_parameter.slow.value == "true" ? "exec -a {MARKER} sleep 300" : "true"
    interpreter = ["bash", "-c"]
  }}
}}
"""


async def measure(folder: Path) -> Sequence[Figure]:
    """Kill inside a provisioner, start anew, build; no process of the old Terraform may be left at the end."""
    seconds: list[float] = []
    async with RealGateway(folder / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("slow", {"main.tf": TEMPLATE})
        workspace = await gateway.create_workspace("bench", template["id"])
        await gateway.wait_for_build(workspace["latest_build"]["id"])
        for _ in range(TURNS):
            body = {"transition": "start", "rich_parameter_values": [{"name": "slow", "value": "true"}]}
            await gateway.fetch("POST", f"/api/v2/workspaces/{workspace['id']}/builds", body)
            await _until_sleeping(gateway, workspace["id"])
            session = os.getsid(_sleepers()[0])
            await gateway.kill()
            began = time.monotonic()
            await gateway.start()
            fast = [{"name": "slow", "value": "false"}]
            build = await gateway.build(workspace["id"], "start", rich_parameter_values=fast)
            seconds.append(time.monotonic() - began)
            if build["job"]["status"] != "succeeded":
                raise RuntimeError(f"the build after the crash failed: {build['job']}")
            if left := _members(session):
                raise RuntimeError(f"processes of the killed gateway's Terraform are left: {left}")
        await gateway.build(workspace["id"], "delete")
    return [Figure("recover.build_s", median(seconds), "s", TURNS)]


async def _until_sleeping(gateway: RealGateway, workspace_id: str) -> None:
    await gateway.wait_for(f"/api/v2/workspaces/{workspace_id}", lambda _: bool(_sleepers()))


def _sleepers() -> list[int]:
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if process.cmdline()[:1] == [MARKER]:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def _members(session: int) -> list[int]:
    """The living processes of a session: Terraform has one of its own, which its provisioners share."""
    found: list[int] = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            # One that ended and that the machine's process 1 has not collected yet is no process that lives.
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


BENCHMARK = Benchmark(("recover.build_s",), measure)
