"""`genba netcheck`."""

from __future__ import annotations

import click

from genba_ide_bridge.cli.command import GenbaCommand
from genba_ide_bridge.cli.output import note, print_json
from genba_ide_bridge.cli.running import current_settings, run_with_token
from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.interfaces import list_interfaces
from genba_ide_bridge.diagnosis.judging import judge
from genba_ide_bridge.diagnosis.probing import probe
from genba_ide_bridge.diagnosis.report import make_report
from genba_wire.errors import GatewayUnreachable


@click.command("netcheck", cls=GenbaCommand)
def netcheck() -> None:
    """Check the way to the gateway.

    Prints a report as JSON; what is wrong, and what to change, is said on stderr.
    """
    settings = current_settings()
    url = settings.url()
    try:
        # Without the token: nothing that is asked needs one, and nobody knows yet who listens there.
        found = run_with_token(settings, url, "", lambda client: probe(client.calls.transport))
    except GatewayUnreachable as error:
        # The files of certificates can't be used.
        found = Findings(url=url, http=Failure(FailureKind.BAD_SETTINGS, str(error)))
    problems = judge(found)
    for problem in problems:
        note(str(problem))
    if not problems:
        note(f"Nothing is wrong on the way to {url}.")
    print_json(make_report(found, problems, list_interfaces()))
