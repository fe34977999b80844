"""Real Terraform with the providers that the gateway serves: a folder, a build's inputs, and what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from genba_gateway.provider.host import ProviderContext, ProviderHost

ACCESS_URL = "http://gateway.test:3000"
# Without it every refresh makes another token, and no second plan would be empty.
PINNED_TOKEN = {f"CODER_RUNNING_WORKSPACE_AGENT_TOKEN_{sha256(b'').hexdigest()}": "pinned"}


def parameter(name: str, value: str) -> dict[str, str]:
    """Give the input that carries a parameter's value."""
    return {f"CODER_PARAMETER_{sha256(name.encode()).hexdigest()}": value}


def previous_parameter(name: str, value: str) -> dict[str, str]:
    """Give the input that carries the value that a parameter had in the build before."""
    return {f"CODER_PARAMETER_PREVIOUS_{sha256(name.encode()).hexdigest()}": value}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a Terraform command ended, and its messages (`-json`)."""

    code: int
    messages: list[dict[str, Any]]

    @property
    def problems(self) -> list[dict[str, Any]]:
        """The diagnostics."""
        return [each["diagnostic"] for each in self.messages if each.get("type") == "diagnostic"]

    @property
    def errors(self) -> str:
        """All errors in one text: summaries, details and the lines of the template they point at."""
        found = [each for each in self.problems if each["severity"] == "error"]
        return "\n".join(
            f"{each['summary']}: {each.get('detail', '')} [{each.get('snippet', {}).get('code', '')}]" for each in found
        )

    @property
    def changes(self) -> dict[str, str]:
        """What the plan does, by address; what stays is left out."""
        planned = [each["change"] for each in self.messages if each.get("type") == "planned_change"]
        return {each["resource"]["addr"]: each["action"] for each in planned}


@dataclass(frozen=True, slots=True)
class Workdir:
    """A template's folder with its state, and the providers that serve it."""

    path: Path
    host: ProviderHost

    def write(self, template: str) -> None:
        """Make this the template."""
        (self.path / "main.tf").write_text(template)

    @asynccontextmanager
    async def start(self, inputs: Mapping[str, str], *arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
        """Start one Terraform command that is killed at the end if it still runs."""
        context = ProviderContext("job", ACCESS_URL, inputs)
        async with self.host.serve(context) as variables:
            process = await asyncio.create_subprocess_exec(
                _find_terraform(),
                *arguments,
                cwd=self.path,
                env={"PATH": os.environ["PATH"], "HOME": str(self.path), "CHECKPOINT_DISABLE": "1", **variables},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                yield process
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.communicate()

    async def run(self, inputs: Mapping[str, str], *arguments: str) -> tuple[int, str]:
        """Run one Terraform command to its end."""
        async with self.start(inputs, *arguments) as process:
            output, _ = await process.communicate()
            return process.returncode or 0, output.decode()

    async def plan(self, inputs: Mapping[str, str] | None = None) -> Outcome:
        """Plan into the file `p`."""
        return read_outcome(*await self.run(inputs or {}, "plan", "-json", "-input=false", "-out=p"))

    async def apply(self, inputs: Mapping[str, str] | None = None) -> Outcome:
        """Plan and apply."""
        return read_outcome(*await self.run(inputs or {}, "apply", "-json", "-input=false", "-auto-approve"))

    async def destroy(self, inputs: Mapping[str, str] | None = None) -> Outcome:
        """Remove everything."""
        return read_outcome(*await self.run(inputs or {}, "apply", "-destroy", "-json", "-auto-approve"))

    async def show(self, *arguments: str) -> Any:
        """Give `show -json` of the state or of a plan file."""
        code, output = await self.run({}, "show", "-json", *arguments)
        assert code == 0, output
        return json.loads(output)

    async def state(self) -> dict[str, dict[str, Any]]:
        """Give the attributes of everything in the state, by address."""
        shown = await self.show()
        resources = shown.get("values", {}).get("root_module", {}).get("resources", [])
        return {each["address"]: each["values"] for each in resources}


def read_outcome(code: int, output: str) -> Outcome:
    """Read what a command with `-json` printed."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return Outcome(code, [json.loads(line) for line in lines])


def _find_terraform() -> str:
    found = shutil.which("terraform")
    assert found is not None, "these tests need terraform on PATH"
    return found
