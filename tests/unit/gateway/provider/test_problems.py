"""How problems are spelled."""

from __future__ import annotations

import pytest

from genba_gateway.provider.problems import AttributePath, Problem, Refused, spell_path


@pytest.mark.parametrize(
    ("path", "text"),
    [(("url",), "url"), (("option", 1, "value"), "option[1].value"), (("a", 0, "b", 2), "a[0].b[2]"), ((), "")],
)
def test_path_is_written_as_in_a_template(path: AttributePath, text: str) -> None:
    assert spell_path(path) == text


def test_refusal_sums_up_its_problems() -> None:
    refused = Refused(Problem("one", "d"), Problem("two", "d"))
    assert str(refused) == "one; two"
    assert [each.summary for each in refused.problems] == ["one", "two"]
