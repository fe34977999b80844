from __future__ import annotations

import pytest

from genba_gateway.domain.actors import OWNER, UserActor
from genba_gateway.errors import BadRequest, Forbidden
from genba_gateway.services.build_requests import check_build_request, parse_state, parse_transition
from genba_wire.api.workspaces import CreateBuildRequest

MEMBER, ADMIN = UserActor("m", "mia", (), "k"), UserActor("o", "olga", (OWNER,), "k")


@pytest.mark.parametrize("level", ["zzz", "DEBUG", "info"])
def test_an_unknown_log_level_is_refused_to_all(level: str) -> None:
    for actor in (MEMBER, ADMIN):
        with pytest.raises(BadRequest) as refused:
            check_build_request(actor, CreateBuildRequest(transition="start", log_level=level))
        assert [problem.field for problem in refused.value.validations] == ["log_level"]


def test_debug_logs_are_for_owners() -> None:
    request = CreateBuildRequest(transition="start", log_level="debug")
    check_build_request(ADMIN, request)
    with pytest.raises(Forbidden):
        check_build_request(MEMBER, request)


def test_what_can_not_be_read_is_named() -> None:
    for read, field in ((parse_transition, "transition"), (parse_state, "state")):
        with pytest.raises(BadRequest) as refused:
            read("*")
        assert [problem.field for problem in refused.value.validations] == [field]
