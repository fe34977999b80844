"""The types of parameters, and how forms show them."""

from __future__ import annotations

from genba_gateway.provider.coder.parameter_types import ALLOWED_FORM_TYPES, FORM_TYPES, TYPES


def test_every_type_has_form_types_with_and_without_options() -> None:
    assert set(ALLOWED_FORM_TYPES) == {(of, has) for of in TYPES for has in (True, False)}
    assert {each for allowed in ALLOWED_FORM_TYPES.values() for each in allowed} | {"error"} == set(FORM_TYPES)
