from __future__ import annotations

import pytest

from genba_gateway.provisioner.diagnostics import read_plain_diagnostics

PREAMBLE = """
Error: Terraform encountered problems during initialisation, including problems
with the configuration, described below.

The Terraform configuration must be valid before initialization so that
Terraform can determine which modules and providers need to be installed.

"""
EXPRESSION = """
Error: Invalid expression

  on main.tf line 2, in resource "terraform_data" "a":
   2:   input =
   3: }

Expected the start of an expression, but found an invalid expression token.
"""
FRAMED = """╷
│ Error: Unsupported argument
│
│   on inner/it's a place.tf line 12:
│   12:   nonsense = 1
│
│ An argument named "nonsense" is
│ not expected here.
╵
"""


def sentences(text: str) -> list[str]:
    return [diagnostic.sentence() for diagnostic in read_plain_diagnostics(text.splitlines())]


EXPRESSION_SAID = (
    "Invalid expression (main.tf:2): Expected the start of an expression, but found an invalid expression token."
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (EXPRESSION, [EXPRESSION_SAID]),
        (PREAMBLE + EXPRESSION, [EXPRESSION_SAID]),
        (EXPRESSION + EXPRESSION, [EXPRESSION_SAID]),
        (
            EXPRESSION + FRAMED,
            [
                EXPRESSION_SAID,
                'Unsupported argument (inner/it\'s a place.tf:12): An argument named "nonsense" is not expected here.',
            ],
        ),
        (
            "Error: Module installation was\ncanceled by an interrupt signal.",
            ["Module installation was canceled by an interrupt signal."],
        ),
        ("│ Error: no such module", ["no such module"]),
        ("panic: runtime error\n\ngoroutine 1", []),
        ("", []),
    ],
)
def test_plain_errors_become_sentences_with_their_place(text: str, said: list[str]) -> None:
    assert sentences(text) == said
