"""Run `genba` as a user would, with a configuration folder of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.failures import ScriptFailure
from scripts.progress import run_step


@dataclass(frozen=True, slots=True)
class GenbaCommand:
    """The `genba` program with the environment and configuration to use."""

    program: Path
    config_dir: Path
    environment: Mapping[str, str] = field(repr=False)

    def run(self, title: str, *arguments: str, secrets: Mapping[str, str] | None = None) -> list[str]:
        """Run a subcommand, show what it says, and return that.

        Args:
            title: what is going on, for the lines printed while it is silent.
            secrets: further environment variables: a command line can be read by everybody on the machine.

        Raises:
            ScriptFailure: it failed.
        """
        code, said = run_step(title, self.argv(*arguments), env=self.child_environment() | dict(secrets or {}))
        if code != 0:
            raise ScriptFailure(f"`genba {' '.join(arguments)}` failed: {said[-1].strip() if said else f'exit {code}'}")
        return said

    def argv(self, *arguments: str) -> Sequence[str]:
        """Return the command line of a subcommand."""
        return [str(self.program), *arguments]

    def child_environment(self) -> dict[str, str]:
        """Return the environment to start it with."""
        return {**self.environment, "GENBA_CONFIG_DIR": str(self.config_dir)}
