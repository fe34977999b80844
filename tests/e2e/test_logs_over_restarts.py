"""The proof of the spine: a line printed in a workspace appears in `genba logs -f`, whatever happens to the gateway."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from tests.support.real_cli import RealCli
from tests.support.real_gateway import RealGateway, read_starter

LINES = 400
SCRIPT = f"""
resource "coder_script" "numbers" {{
  agent_id     = coder_agent.main.id
  display_name = "Numbers"
  run_on_start = true
  script       = <<-EOT
    #!/bin/sh
    i=0
    while [ $i -lt {LINES} ]; do
      echo "number $i"
      i=$((i + 1))
      sleep 0.02
    done
  EOT
}}
"""


async def read_numbers(follower: asyncio.subprocess.Process, numbers: list[int], wanted: int) -> None:
    """Collect the numbers of the follower's lines until so many are there."""
    assert follower.stdout is not None
    while len(numbers) < wanted:
        line = await follower.stdout.readline()
        assert line, "the follower ended"
        text = line.decode()
        if "number " in text:
            numbers.append(int(text.rsplit("number ", 1)[1]))


async def test_every_line_arrives_once_and_in_order_while_the_gateway_is_killed(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        template = await gateway.push_template("numbers", {**read_starter("host"), "numbers.tf": SCRIPT})
        workspace = await gateway.create_workspace("demo", template["id"])
        build = await gateway.wait_for_build(workspace["latest_build"]["id"])
        assert build["job"]["status"] == "succeeded", build["job"]
        follower = await RealCli(short_dir / "cli", gateway).start("logs", "-f", "demo")
        numbers: list[int] = []
        try:
            async with asyncio.timeout(120):
                for wanted in (LINES // 4, LINES // 2):
                    await read_numbers(follower, numbers, wanted)
                    await gateway.kill()
                    await gateway.start()
                await read_numbers(follower, numbers, LINES)
        finally:
            with contextlib.suppress(ProcessLookupError):
                follower.terminate()
            await follower.communicate()
        assert numbers == list(range(LINES))
        deleted = await gateway.build(workspace["id"], "delete")
        assert deleted["job"]["status"] == "succeeded"
