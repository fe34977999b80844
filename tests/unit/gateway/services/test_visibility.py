from __future__ import annotations

from datetime import UTC

import pytest

from genba_gateway.domain.actors import OWNER, Action, Resource, UserActor
from genba_gateway.errors import BadRequest, Forbidden, NotFound
from genba_gateway.services.visibility import not_found, parse_id, require, utc_now

MEMBER, SITE_OWNER = UserActor("m", "mia", (), "key"), UserActor("o", "olga", (OWNER,), "key")
ID = "0a1b2c3d-9999-4999-8999-999999999999"


def test_what_may_not_be_seen_answers_like_what_is_absent() -> None:
    with pytest.raises(NotFound) as hidden:
        require(MEMBER, Resource.WORKSPACE, Action.READ, "somebody")
    assert hidden.value.message == not_found().message


def test_what_is_seen_already_is_forbidden_in_words() -> None:
    with pytest.raises(Forbidden, match="update this template"):
        require(MEMBER, Resource.TEMPLATE, Action.UPDATE, seen=True)


def test_what_is_ones_own_or_anybodys_or_an_owners_passes() -> None:
    require(MEMBER, Resource.WORKSPACE, Action.READ, "m")
    require(MEMBER, Resource.TEMPLATE, Action.READ)
    require(SITE_OWNER, Resource.WORKSPACE, Action.DELETE, "somebody")


def test_a_thing_of_nobody_is_not_ones_own() -> None:
    with pytest.raises(NotFound):
        require(MEMBER, Resource.WORKSPACE, Action.READ)


@pytest.mark.parametrize("text", [ID, ID.upper(), ID.replace("-", ""), f"{{{ID}}}"])
def test_an_id_is_read_in_lower_case(text: str) -> None:
    assert parse_id(text, "workspace") == ID


@pytest.mark.parametrize("text", ["", "1", ID + "0", "g" * 32])
def test_a_bad_id_is_named(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_id(text, "workspace")
    assert [problem.field for problem in refused.value.validations] == ["workspace"]


def test_the_clock_is_in_utc() -> None:
    assert utc_now().tzinfo is UTC
