"""The languages of the pages: which one a visitor reads, and the texts in it.

Texts are written in English where they are shown, as `_("…")` in templates and `translate("…")` in Python, and looked
up in `locale/<language>.po`. What is English only is a bug that tests/unit/gateway/web/test_languages.py finds.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from quart import has_request_context, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

LANGUAGE_COOKIE: Final = "genba_language"
ENGLISH: Final = "en"
LANGUAGES: Final = {ENGLISH: "English", "ja": "日本語"}
"""What there is to choose from, each by its own name."""

LOCALE: Final = Path(__file__).parent / "locale"
_spoken: ContextVar[str] = ContextVar("genba_language")


def _load(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with (LOCALE / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


_CATALOGS: Final = {language: _load(language) for language in LANGUAGES}


@contextmanager
def speaking(language: str) -> Generator[None]:
    """Speak a language for the length of the block, as streams do, which outlive their request's context."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def current_language() -> str:
    """The language spoken here: the one set, or the visitor's."""
    if chosen := _spoken.get(""):
        return chosen
    if not has_request_context():
        return ENGLISH
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else _favourite(request.accept_languages)


def choose_language(accepted: str) -> str:
    """The language for a browser that sent this Accept-Language, where it is no visitor of the dashboard."""
    return _favourite(parse_accept_header(accepted, LanguageAccept))


def _favourite(accepted: Iterable[tuple[str, float]]) -> str:
    """The browser's favourite of those that there are; its regions don't matter."""
    wanted = sorted(accepted, key=lambda each: -each[1])
    spoken = (tag.partition("-")[0].lower() for tag, quality in wanted if quality > 0)
    return next((language for language in spoken if language in LANGUAGES), ENGLISH)


def translate(text: str) -> str:
    """A text in the language spoken here."""
    return _CATALOGS[current_language()].gettext(text)


def translate_number(one: str, many: str, number: int) -> str:
    """A text that goes with a number."""
    return _CATALOGS[current_language()].ngettext(one, many, number)


def mark(text: str) -> str:
    """Mark a constant for the catalogs; it is translated where it is shown."""
    return text


def mark_number(one: str, many: str) -> tuple[str, str]:
    """Mark a constant that goes with a number."""
    return one, many
