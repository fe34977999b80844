from __future__ import annotations

import pytest

from genba_gateway.domain.search_query import QueryProblem
from genba_gateway.domain.template_query import TemplateQuery, parse_template_query

ID = "11111111-1111-4111-8111-111111111111"


def test_every_key_is_understood() -> None:
    text = f"exact_name:Docker organization:Coder ids:{ID},{ID} deprecated:false deleted:false has-ai-task:true gpu"
    assert parse_template_query(text) == TemplateQuery(
        name="gpu", exact_name="docker", organization="coder", ids=(ID, ID), deprecated=False, has_ai_task=True
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("colour:red", "colour"),
        ("ids:1", "ids"),
        ("deprecated:maybe", "deprecated"),
        ("deleted:true", "deleted"),
        ("name:", "q"),
        ("name:a name:b", "name"),
    ],
)
def test_what_is_not_understood_is_named(text: str, field: str) -> None:
    with pytest.raises(QueryProblem) as caught:
        parse_template_query(text)
    assert caught.value.field == field
