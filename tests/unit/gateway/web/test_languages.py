from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from genba_gateway.web import languages
from genba_gateway.web.languages import (
    LANGUAGE_COOKIE,
    LANGUAGES,
    LOCALE,
    current_language,
    speaking,
    translate,
    translate_number,
)
from scripts.gather_texts import gather_texts, has_translation
from tests.support.page_request import in_request

TEMPLATES = Path(languages.__file__).parent / "templates"
JINJA = re.compile(r"\{#.*?#\}|\{% block width %\}\w+|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
NOT_TEXT = re.compile(r"<(script|style|pre|code)\b.*?</\1>|<[^>]*>|&\w+;", re.DOTALL)
NAMES = {"Genba"}
"""Read the same in every language."""
WORDS = re.compile(r"[A-Za-z]{2,}")


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_every_text_has_its_translation(language: str) -> None:
    with (LOCALE / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    lacking = [
        m.id for m in gather_texts() if m.id and not has_translation(catalog[m.id].string if m.id in catalog else "")
    ]
    assert not lacking, "run `python -m scripts.gather_texts`, then translate these in locale/"
    for message in catalog:
        holes = set(re.findall(r"%\(\w+\)\w", str(message.id)))
        assert holes == set(re.findall(r"%\(\w+\)\w", str(message.string))), message.id


@pytest.mark.parametrize(
    "file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: file.relative_to(TEMPLATES).as_posix()
)
def test_no_template_has_a_text_that_can_not_be_translated(file: Path) -> None:
    bare = NOT_TEXT.sub(" ", JINJA.sub(" ", file.read_text("utf-8")))
    assert set(WORDS.findall(bare)) <= NAMES
    attributes = re.findall(r'(?:title|aria-label|placeholder|alt)="([^"]+)"', JINJA.sub("", file.read_text("utf-8")))
    assert not [each for each in attributes if WORDS.search(each)]


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "ja", "ja"),
        ("", "ja-JP,en;q=0.5", "ja"),
        ("", "de,fr;q=0.9", "en"),
        ("", "en-GB,ja;q=0.4", "en"),
        ("en", "ja", "en"),
        ("ja", "en", "ja"),
        ("tlh", "ja", "ja"),
    ],
)
async def test_the_visitor_chooses_or_the_browser_does(cookie: str, accepted: str, language: str) -> None:
    async with in_request(accept_language=accepted, cookie=f"{LANGUAGE_COOKIE}={cookie}"):
        assert current_language() == language


def test_what_outlives_its_request_says_which_language_it_speaks() -> None:
    assert translate("Workspaces") == "Workspaces"
    with speaking("ja"):
        assert translate("Workspaces") == "ワークスペース"
        assert translate_number("%(num)s user", "%(num)s users", 2) == "%(num)s 人のユーザー"
    assert translate("Nobody wrote this") == "Nobody wrote this"
