"""Requests, and answers that are not the API's."""

from __future__ import annotations

import pytest

from genba_ide_bridge.api.calls import Calls
from genba_ide_bridge.api.connect import open_transport
from genba_ide_bridge.errors import BridgeError
from genba_wire.api.users import User
from tests.support.cli_gateway import running_cli_gateway


@pytest.mark.parametrize("page", [b"<!DOCTYPE html>", b'{"username": "\xff"}', b'{"username": 1}'])
async def test_an_answer_that_is_not_the_apis_is_told_in_words(page: bytes) -> None:
    async with (
        running_cli_gateway(page=page) as gateway,
        open_transport(gateway.url, gateway.token, {}) as transport,
    ):
        with pytest.raises(BridgeError, match="something that is not Genba's API"):
            await Calls(transport).fetch("GET", "/users/me", User)
