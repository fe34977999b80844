"""Carriers over HTTP requests, found by their secrets."""

from __future__ import annotations

import pytest

from genba_gateway.errors import Conflict, NotFound, TooManyRequests
from genba_gateway.relay.http_carriers import MAX_CARRIERS, HttpCarriers
from genba_gateway.relay.http_end import HttpEnd
from genba_wire.api.http_carriers import TAKE_UP_S


async def serve(_end: HttpEnd) -> None:
    """Serve nothing."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_carrier_is_taken_up_once_and_then_found_by_who_opened_it() -> None:
    table = HttpCarriers()
    secret = table.open("user a", "a token", serve)
    with pytest.raises(Conflict, match="no answer yet"):
        table.get_end(secret, "a token")
    carrier = table.take_up(secret, "a token")
    with pytest.raises(Conflict, match="its answer already"):
        table.take_up(secret, "a token")
    assert table.get_end(secret, "a token") is carrier.end
    table.forget(carrier)
    with pytest.raises(NotFound):
        table.get_end(secret, "a token")
    assert len(table) == 0


async def test_secret_is_of_no_use_with_other_credentials_nor_is_another_secret() -> None:
    table = HttpCarriers()
    secret = table.open("user a", "a token", serve)
    for wrong in ((secret, "another token"), ("x" + secret[1:], "a token"), ("", "a token")):
        with pytest.raises(NotFound):
            table.take_up(*wrong)
    assert secret not in repr(vars(table))
    table.take_up(secret, "a token")


async def test_carrier_that_is_not_taken_up_in_time_is_forgotten() -> None:
    clock = Clock()
    table = HttpCarriers(clock)
    secrets = [table.open("user a", "a token", serve) for _ in range(2)]
    clock.now += TAKE_UP_S - 0.01
    table.take_up(secrets[0], "a token")
    clock.now += 0.01
    with pytest.raises(NotFound):
        table.take_up(secrets[1], "a token")
    table.get_end(secrets[0], "a token")


async def test_owner_has_so_many_carriers_and_others_have_theirs() -> None:
    clock = Clock()
    table = HttpCarriers(clock)
    for _ in range(MAX_CARRIERS):
        table.open("user a", "a token", serve)
    with pytest.raises(TooManyRequests, match=f"{MAX_CARRIERS} connections"):
        table.open("user a", "a token", serve)
    table.open("user b", "b token", serve)
    clock.now += TAKE_UP_S
    table.open("user a", "a token", serve)
