"""`genba speedtest` where it measures nothing; measuring is in tests/e2e/test_ping.py."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from genba_ide_bridge.cli.commands.speedtest import speedtest


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--pcap-file", "out.pcap"], "has no packets of its own"),
        (["-t", "0s"], "too short to measure anything"),
    ],
)
def test_what_can_not_be_measured_is_refused_in_words(flags: list[str], said: str) -> None:
    done = CliRunner().invoke(speedtest, ["demo", *flags])
    assert done.exit_code == 2
    assert said in done.output
