"""Gather the pages' texts into their catalogs: `python -m scripts.gather_texts`; say what lacks its translation.

Texts that no page shows any more leave the catalog. The catalogs are the translator's: nothing else is changed in them.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from scripts.clone import ROOT

WEB: Final = ROOT / "gateway" / "genba_gateway" / "web"
LANGUAGES: Final = ("ja",)
KEYWORDS: Final = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "translate": None,
    "translate_number": (1, 2),
    "mark": None,
    "mark_number": (1, 2),
}
_METHODS: Final = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
_OPTIONS: Final = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}


def gather_texts(folder: Path = WEB) -> Catalog:
    """All texts of the pages, without translations."""
    catalog = Catalog(charset="utf-8")
    for _file, _line, text, _comments, context in _extract(folder):
        catalog.add(text, context=context)
    return catalog


def _extract(folder: Path) -> Generator[tuple[str, int, str | tuple[str, ...], list[str], str | None]]:
    yield from extract_from_dir(str(folder), _METHODS, _OPTIONS, KEYWORDS)


def file_of(language: str) -> Path:
    """Where a language's catalog lies."""
    return WEB / "locale" / f"{language}.po"


def update_catalog(language: str) -> list[str]:
    """Bring a catalog up to the pages; returns the texts that lack a translation."""
    file = file_of(language)
    kept = Catalog(locale=language)
    if file.exists():
        kept = read_po(io.BytesIO(file.read_bytes()), locale=language)
    texts = gather_texts()
    kept.update(texts, no_fuzzy_matching=True)
    kept.obsolete.clear()
    for message in kept:
        message.flags.discard("fuzzy")  # babel takes texts with a number for guesses, and leaves those out of catalogs
    written = io.BytesIO()
    write_po(written, kept, width=0, no_location=True, sort_output=True, omit_header=True, ignore_obsolete=True)
    file.write_bytes(written.getvalue())
    return [str(message.id) for message in kept if message.id and not has_translation(message.string)]


def has_translation(text: object) -> bool:
    """Whether a catalog's entry, one text or one for each number, is complete."""
    return text not in (None, "", (), ("",))


def main() -> None:
    """Update every catalog."""
    for language in LANGUAGES:
        for text in update_catalog(language):
            print(f"{language}: no translation of {text!r}")


if __name__ == "__main__":
    main()
