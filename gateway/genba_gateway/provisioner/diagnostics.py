"""Terraform's warnings and errors: from `-json` output, and from the plain text that `init` and `get` print."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_PLACE = re.compile(r"\s+on (?P<file>.+) line (?P<line>[0-9]+)(?:, in .*)?:$")


class Position(msgspec.Struct):
    """A place in a file."""

    line: int = 0


class Range(msgspec.Struct):
    """Where a problem is."""

    filename: str = ""
    start: Position = msgspec.field(default_factory=Position)


class _SnippetValue(msgspec.Struct):
    traversal: str = ""
    statement: str = ""


class _Snippet(msgspec.Struct):
    context: str | None = None
    code: str = ""
    start_line: int = 0
    values: list[_SnippetValue] | None = None


class Diagnostic(msgspec.Struct):
    """A warning or error of Terraform, as its JSON output describes it."""

    severity: str = "error"
    summary: str = ""
    detail: str = ""
    address: str = ""
    range: Range | None = None
    snippet: _Snippet | None = None

    def render(self) -> list[str]:
        """Return the lines below the summary: place, snippet, values, detail."""
        lines: list[str] = []
        if self.address:
            lines.append(f"  with {self.address},")
        if self.range is not None:
            place = f"  on {self.range.filename} line {self.range.start.line}"
            context = self.snippet.context if self.snippet is not None else None
            lines.append(f"{place}, in {context}:" if context else f"{place}:")
        if self.snippet is not None:
            for offset, code in enumerate(self.snippet.code.splitlines()):
                lines.append(f"  {self.snippet.start_line + offset:>4}: {code}")
            lines.extend(f"    {value.traversal} {value.statement}" for value in self.snippet.values or ())
        lines.extend(self.detail.splitlines())
        return lines

    def sentence(self) -> str:
        """Return summary, place and detail in one line."""
        place = f" ({self.range.filename}:{self.range.start.line})" if self.range is not None else ""
        detail = " ".join(self.detail.split())
        return f"{self.summary}{place}: {detail}" if detail else f"{self.summary}{place}"


def read_plain_diagnostics(lines: Sequence[str]) -> list[Diagnostic]:
    """Read the `Error:` blocks of plain output, the ones that matter, once each.

    A block is `Error: <summary>`, then perhaps `  on <file> line <line>, in <block>:` with a snippet, then the detail,
    with an empty line between and each wrapped at 78 columns. Blocks with a place come alone if there are any: those
    without say that there are others ("Terraform encountered problems during initialisation, …").
    """
    found: dict[tuple[str, str], Diagnostic] = {}
    for block in _blocks(lines):
        diagnostic = _read_block(block)
        found.setdefault((diagnostic.summary, diagnostic.sentence()), diagnostic)
    placed = [diagnostic for diagnostic in found.values() if diagnostic.range is not None]
    return placed or list(found.values())


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in lines:
        text = line.strip("╷╵").removeprefix("│").removeprefix(" ") if line[:1] in "│╷╵" else line
        if text.startswith("Error: "):
            blocks.append([])
        if blocks:
            blocks[-1].append(text)
    return blocks


def _read_block(block: Sequence[str]) -> Diagnostic:
    paragraphs = [paragraph.splitlines() for paragraph in "\n".join(line.rstrip() for line in block).split("\n\n")]
    paragraphs = [paragraph for paragraph in paragraphs if any(paragraph)]
    summary = _joined(paragraphs[0]).removeprefix("Error: ")
    place = next((match for line in _at(paragraphs, 1) if (match := _PLACE.match(line))), None)
    detail = " ".join(_joined(paragraph) for paragraph in paragraphs[1 if place is None else 2 :])
    where = Range(place["file"], Position(int(place["line"]))) if place is not None else None
    return Diagnostic(summary=summary, detail=detail, range=where)


def _joined(paragraph: Sequence[str]) -> str:
    return " ".join(" ".join(paragraph).split())


def _at(paragraphs: Sequence[list[str]], index: int) -> list[str]:
    return paragraphs[index] if len(paragraphs) > index else []
