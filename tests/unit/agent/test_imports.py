"""What the agent's process must not import: its memory is paid in every workspace, its start-up time at every start."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = {
    "quart": "the gateway's web framework",
    "hypercorn": "the gateway's web server",
    "sqlalchemy": "the gateway's database layer",
    "jwt": "the gateway signs, the agent does not",
    "pygls": "the bridge's language server",
    "asyncssh": "18 MB; imported at the first SSH session",
    "rich": "the command line's tables, 8 MB; httpx drags it in unless it is kept from it",
    "click": "the command line's flags; the agent's are argparse's",
    "pygments": "comes with rich",
    "h2": "the transport speaks HTTP/1.1 only",
    "croniter": "imported with the first schedule",
    "genba_gateway": "another program",
    "genba_ide_bridge": "another program",
}

RUN = """
import asyncio
import sys
import genba_agent.main
from genba_agent.main import main

limits = []
def make_event_loop(limit_us):
    limits.append(limit_us)
    return asyncio.new_event_loop()
genba_agent.main.make_event_loop = make_event_loop

# All modules are imported before the loop runs; this stops there.
def run(runner, coroutine):
    coroutine.close()
    import genba_agent.agent, genba_wire.aio.transport, websockets.asyncio.client, psutil
asyncio.Runner.run = run
assert main(["--agent-url", "http://127.0.0.1:9", "--agent-token", "5a9c1f0e-9f6e-4a53-9d0c-6f9f3c1f2b11",
             "--log-human", "", "--busy-poll-us", "7", "--log-dir", sys.argv[1]]) == 0
assert limits == [7]
print("\\n".join(sys.modules[name].__name__ for name in sys.modules if sys.modules[name] is not None))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Top-level names of all modules in the agent's process."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path_factory.mktemp("logs"))], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_agent_does_not_import(name: str, imported: set[str]) -> None:
    assert name not in imported, f"the agent must not import {name}: {FORBIDDEN[name]}"


def test_agent_imports_what_it_works_with(imported: set[str]) -> None:
    """Keeps the test above from passing because nothing was imported at all."""
    assert {"httpx", "websockets", "msgspec", "genba_agent"} <= imported
