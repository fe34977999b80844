"""What a provider reports to Terraform: diagnostics with the attribute they are about and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genba_gateway.errors import GenbaError

AttributePath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One diagnostic: what is wrong, in one line; then why and the remedy; and where in the configuration."""

    summary: str
    detail: str
    path: AttributePath = ()
    is_warning: bool = False


class Refused(GenbaError):
    """The provider refuses; Terraform prints the problems next to the lines of the template."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(each.summary for each in problems))
        self.problems: Sequence[Problem] = problems


def spell_path(path: AttributePath) -> str:
    """Write a path as an author would: `option[1].value`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
