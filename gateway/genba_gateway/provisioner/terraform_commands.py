"""The Terraform commands that jobs use, their output in the job's log and their failures as errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from genba_gateway.domain.timings import TimingStage
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.execution import Capture, Outcome, TerraformExecution
from genba_gateway.provisioner.job_log import JobLog
from genba_gateway.provisioner.terraform_output import LineSplitter, OutputLog
from genba_gateway.provisioner.timing_log import TimingLog


class TerraformFailed(ProvisionError):
    """Terraform ended with an error, which is in the job's log already."""


class JobCanceled(ProvisionError):
    """The job was canceled while or before Terraform ran."""


class TerraformCommands:
    """Commands in one job's source directory, with one provider context."""

    def __init__(self, execution: TerraformExecution, log: JobLog, timings: TimingLog) -> None:
        self._execution = execution
        self._log = log
        self._timings = timings

    async def get(self, limit_s: float) -> None:
        """Fetch the template's modules."""
        await self._install(["get", "-no-color"], limit_s)

    async def init(self, limit_s: float, *, has_modules: bool) -> None:
        """Install providers, and modules too unless `get` has brought them (`has_modules`)."""
        await self._install(["init", "-no-color", "-input=false", *(["-get=false"] if has_modules else [])], limit_s)

    async def _install(self, arguments: list[str], limit_s: float) -> None:
        output = OutputLog(self._log)
        splitter = LineSplitter(output.plain_line)
        errors = LineSplitter(output.error_line)
        with self._timings.measure(TimingStage.INIT):
            outcome = await self._execution.run(arguments, stdout=splitter.feed, stderr=errors.feed, limit_s=limit_s)
        await splitter.close()
        await errors.close()
        if outcome.is_late:
            raise ProvisionError(
                f"terraform {arguments[0]} was ended after {limit_s:g} s: an address that a module or a provider comes "
                "from does not answer (the log says what was asked for last). Mend the address, or let the gateway's "
                "operator raise --init-limit-s."
            )
        _check(outcome, output, arguments[0])

    async def plan(self, target: Path, variables: Path) -> None:
        """Write a plan to `target`."""
        await self._run_json(["plan", f"-out={target}", "-lock=false", f"-var-file={variables}"], None)

    async def apply(self, variables: Path, *, is_destroy: bool, on_planned: Callable[[], Awaitable[None]]) -> None:
        """Plan and apply at once, which saves a process over `plan -out` and `apply`.

        `on_planned` is called when the plan is complete and changes begin.
        """
        destroy = ["-destroy"] if is_destroy else []

        async def begin_changes() -> None:
            self._timings.go_on(TimingStage.APPLY)
            await on_planned()

        await self._run_json(["apply", "-auto-approve", f"-var-file={variables}", *destroy], begin_changes)

    async def _run_json(self, arguments: list[str], on_planned: Callable[[], Awaitable[None]] | None) -> None:
        output = OutputLog(self._log, on_planned, timings=self._timings)
        splitter = LineSplitter(output.json_line)
        errors = LineSplitter(output.error_line)
        command = [arguments[0], "-json", "-no-color", "-input=false", *arguments[1:]]
        with self._timings.measure(TimingStage.PLAN):
            outcome = await self._execution.run(command, stdout=splitter.feed, stderr=errors.feed)
        await splitter.close()
        await errors.close()
        _check(outcome, output, arguments[0])

    async def show(self, plan: Path) -> bytes:
        """Return a plan as JSON."""
        return await self._capture(["show", "-json", "-no-color", str(plan)])

    async def graph(self) -> str:
        """Return the dependency graph of the template in dot format."""
        # Without the type, Terraform 1.7 and later print another, simplified graph.
        with self._timings.measure(TimingStage.GRAPH):
            return (await self._capture(["graph", "-type=plan"])).decode("utf-8", "replace")

    async def _capture(self, arguments: list[str]) -> bytes:
        output = OutputLog(self._log)
        capture = Capture()
        errors = LineSplitter(output.error_line)
        outcome = await self._execution.run(arguments, stdout=capture.feed, stderr=errors.feed)
        await errors.close()
        _check(outcome, output, arguments[0])
        return capture.data()


def _check(outcome: Outcome, output: OutputLog, command: str) -> None:
    if outcome.is_canceled:
        raise JobCanceled("The job was canceled.")
    if outcome.exit_code != 0:
        raise TerraformFailed(output.error_message(command, outcome.exit_code))
