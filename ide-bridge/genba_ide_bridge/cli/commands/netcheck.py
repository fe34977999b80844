"""`genba netcheck`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.durations import Duration
from genba_ide_bridge.cli.output import note, print_json
from genba_ide_bridge.cli.running import current_settings, run_with_token
from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.interfaces import list_interfaces
from genba_ide_bridge.diagnosis.judging import judge
from genba_ide_bridge.diagnosis.judging_passage import judge_passage
from genba_ide_bridge.diagnosis.passage import probe_passage
from genba_ide_bridge.diagnosis.probing import probe
from genba_ide_bridge.diagnosis.report import make_report
from genba_wire.errors import GatewayUnreachable

if TYPE_CHECKING:
    from genba_wire.aio.transport import Transport


@click.command("netcheck", cls=GenbaCommand)
@click.option(
    "--idle",
    type=Duration(),
    default="0s",
    help="Also watch a silent connection for so long: 20s shows time-outs that are too short for sessions.",
)
def netcheck(idle: timedelta) -> None:
    """Check the way to the gateway.

    Prints a report as JSON; what is wrong, and what to change, is said on stderr.
    """
    settings = current_settings()
    url = settings.url()
    try:
        # Without the token: nothing that is asked needs one, and nobody knows yet who listens there.
        found = run_with_token(settings, url, "", lambda client: _look(client.calls.transport, idle.total_seconds()))
    except GatewayUnreachable as error:
        # The files of certificates can't be used.
        found = Findings(url=url, http=Failure(FailureKind.BAD_SETTINGS, str(error)))
    problems = sorted([*judge(found), *judge_passage(found)], key=lambda problem: not problem.is_error)
    for problem in problems:
        note(str(problem))
    if not problems:
        note(f"Nothing is wrong on the way to {url}.")
    print_json(make_report(found, problems, list_interfaces()))


async def _look(transport: Transport, silence_s: float) -> Findings:
    return await probe_passage(transport, await probe(transport), silence_s=silence_s)
