from __future__ import annotations

import pytest

from genba_gateway.web.languages import speaking
from genba_gateway.web.states import explain
from tests.support.page_values import NOW, make_build


@pytest.mark.parametrize(
    ("error", "ended"),
    [("no machine is free", "no machine is free."), ("No machine is free.", "No machine is free.")],
)
def test_an_error_ends_before_the_sentence_that_follows_it(error: str, ended: str) -> None:
    build = make_build(job={"error": error})
    with speaking("en"):
        assert explain(build, NOW).text.startswith(f"Its start failed: {ended} Read the build's log")
