from __future__ import annotations

import pytest

from genba_gateway.domain.names import explain_bad_name, explain_bad_username, explain_bad_version_name
from genba_gateway.domain.password_rule import MAX_PASSWORD_BYTES, explain_weak_password
from genba_gateway.errors import BadRequest, Conflict, FieldProblem
from genba_gateway.services.users import MAX_REAL_NAME_CHARS
from genba_gateway.services.visibility import not_found
from genba_gateway.web.field_problems import KNOWN, WHOLE_FORM, field_problems
from genba_gateway.web.languages import speaking


@pytest.mark.parametrize(
    "said",
    [
        *(explain_bad_name(name) for name in ("", "x" * 33, "a--b", "new", "create")),
        *(explain_bad_version_name(name) for name in ("x" * 65, "a b")),
        explain_bad_username("me"),
        *(explain_weak_password(password) for password in ("x", "x" * (MAX_PASSWORD_BYTES + 1))),
        f"must have at most {MAX_REAL_NAME_CHARS} characters",
        not_found().message,
    ],
)
def test_what_services_say_is_in_the_catalogs(said: str) -> None:
    assert said in KNOWN


def test_each_field_gets_its_sentence_in_the_forms_order() -> None:
    error = BadRequest(
        "Validation failed.",
        validations=[FieldProblem("password", "is odd"), FieldProblem("email", "is taken"), FieldProblem("else", "x")],
    )
    found = field_problems(error, ("email", "password"))
    assert list(found.items()) == [("email", "Is taken."), ("password", "Is odd.")]
    with speaking("ja"):
        assert field_problems(error, ("email",)) == {"email": "すでに使われています。"}


@pytest.mark.parametrize(
    "error", [Conflict("Come back later."), Conflict("Come back later.", validations=[FieldProblem("x", "y")])]
)
def test_what_is_about_no_field_is_about_the_form(error: Conflict) -> None:
    assert field_problems(error, ("email",)) == {WHOLE_FORM: "Come back later."}
