"""What was wrong with the fields of a form, in the reader's language."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from genba_gateway.errors import GenbaError
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.languages import mark

WHOLE_FORM: Final = ""
"""Where a problem goes that is about no field of the form."""

KNOWN: Final = (
    mark("must have 1 to 32 characters"),
    mark("must have 1 to 64 characters"),
    mark("must have at most 128 characters"),
    mark("must be letters and digits, with single hyphens between them"),
    mark("must be letters and digits, with single '_', '.' or '-' between them"),
    mark("'me' is reserved, choose another"),
    mark("'new' is reserved, choose another"),
    mark("'create' is reserved, choose another"),
    mark("must be an e-mail address"),
    mark("must be empty for a user who can't sign in"),
    mark("must have at most 64 bytes"),
    mark("is too easy to guess: make it longer, or mix letters, digits and other characters"),
    mark("is taken"),
    mark("is not the password"),
    mark("is the old one: choose another"),
    mark("Resource not found or you do not have access to it."),
)
"""What services say, for the catalogs; what isn't here is shown in English."""


def field_problems(error: GenbaError, fields: Collection[str]) -> dict[str, str]:
    """A sentence for each field that is wrong, in the form's order; `WHOLE_FORM` has what is about none of them."""
    told = {each.field: _as_sentence(each.detail) for each in error.validations}
    found = {field: told[field] for field in fields if field in told}
    return found or {WHOLE_FORM: say_error(error.message)}


def _as_sentence(detail: str) -> str:
    said = say_error(detail)
    return said if said != detail else f"{detail[:1].upper()}{detail[1:]}."
