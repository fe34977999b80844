"""The docs name what there is."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from genba_gateway.config import Config

ROOT = Path(__file__).resolve().parent.parent.parent


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", [field.name for field in fields(Config)])
def test_every_setting_of_the_gateway_is_documented(setting: str) -> None:
    row = f"| `--{setting.replace('_', '-')}"
    assert any(
        line.startswith(row) and f"`GENBA_{setting.upper()}`" in line
        for line in read("docs/configuration.md").splitlines()
    )


def test_every_library_has_its_line_of_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [re.split(r"[\[<>=]", requirement)[0] for requirement in wanted]
    reasons = read("docs/decisions/0002-libraries.md")
    assert [name for name in names if name not in reasons and not name.startswith("types-")] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_the_docs_name_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", read(page), re.MULTILINE))
    assert named
    assert named <= targets


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/protocol.md"])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#:]+)\)", read(page))
    assert [link for link in links if not (folder / link).exists()] == []
