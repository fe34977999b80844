"""Builders and fakes for tests of the provisioner."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from genba_gateway.domain.provisioning import JobLogLine
from genba_gateway.provider.context import ProviderContext


class NoProvider:
    """Serves nothing, for templates of `terraform_data` alone; remembers what it was asked to serve."""

    def __init__(self) -> None:
        self.contexts: list[ProviderContext] = []

    @asynccontextmanager
    async def serve(self, context: ProviderContext, /) -> AsyncGenerator[Mapping[str, str], None]:
        """Give no variables."""
        self.contexts.append(context)
        yield {}


class RecordedLog:
    """Keeps the lines of a job."""

    def __init__(self) -> None:
        self.lines: list[JobLogLine] = []

    async def __call__(self, line: JobLogLine) -> None:
        """Take a line."""
        self.lines.append(line)

    @property
    def stages(self) -> list[str]:
        """Stages in the order of their marks."""
        return [line.stage for line in self.lines if line.output == ""]

    @property
    def text(self) -> str:
        """Every line's output."""
        return "\n".join(line.output for line in self.lines)

    def outputs(self, stage: str) -> list[str]:
        """Lines of one stage."""
        return [line.output for line in self.lines if line.stage == stage and line.output]
