"""Findings about streams, bodies and silence, in sentences."""

from __future__ import annotations

import pytest

from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.judging_passage import judge_passage

URL = "https://genba.test"


def test_nothing_found_is_nothing_said() -> None:
    assert judge_passage(Findings(url=URL)) == []


@pytest.mark.parametrize(
    ("found", "said", "remedy"),
    [
        (
            Findings(url=URL, stream=Failure(FailureKind.HELD_BACK, "gzip")),
            "holds answers back until they are whole (gzip compression)",
            "proxy_ignore_headers X-Accel-Buffering",
        ),
        (Findings(url=URL, stream=Failure(FailureKind.ALTERED)), "changes what the gateway answers", "sub_filter"),
        (
            Findings(url=URL, stream=Failure(FailureKind.CLOSED, "EOF")),
            "breaks streamed answers off (EOF)",
            "time-outs",
        ),
        (
            Findings(url=URL, upload=Failure(FailureKind.STATUS, status=413)),
            "refuses bodies above 1 MiB (413)",
            "client_max_body_size 101m",
        ),
        (
            Findings(url=URL, silence=Failure(FailureKind.CUT_WHEN_SILENT, "10 s")),
            "ends connections in which nothing is said after 10 s",
            "timeout tunnel",
        ),
    ],
)
def test_each_has_its_words_and_its_remedy_and_leaves_a_way(found: Findings, said: str, remedy: str) -> None:
    (problem,) = judge_passage(found)
    assert said in problem.what
    assert remedy in problem.remedy
    assert not problem.is_error
