"""What the routes of carriers over HTTP requests take, and what they refuse."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from genba_gateway.api.rate_limits import GENERAL_LIMIT
from genba_wire.aio.transport import SESSION_TOKEN_HEADER
from genba_wire.api.agent_protocol import CONTROL_PATH
from genba_wire.api.http_carriers import (
    CARRIER_HEADER,
    DOWN_SUFFIX,
    MAX_UP_BYTES,
    NUMBER_HEADER,
    OPEN_SUFFIX,
    UP_SUFFIX,
)
from genba_wire.api.terminals import AGENT_CARRIER_PATH, CLIENT_CARRIER_PATH, TICKET_HEADER
from genba_wire.errors import GatewayRefused
from genba_wire.http_frames import KEEP_ALIVE
from tests.support.carriers import CEILING_S
from tests.support.http_carrier_world import open_world

FRAME = b"\0\0\0\1x"


async def test_answer_says_at_once_that_nothing_holds_it_back_and_tells_proxies_not_to(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers) as down:
            assert down.headers["X-Accel-Buffering"] == "no"
            assert down.headers["Cache-Control"] == "no-store, no-transform"
            assert down.headers["Content-Type"] == "application/octet-stream"
            assert await anext(down.aiter_raw()) == KEEP_ALIVE


async def test_each_route_asks_for_what_its_websocket_asks_for(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        for path in (AGENT_CARRIER_PATH, CONTROL_PATH):
            for method, suffix in (("GET", ""), ("POST", OPEN_SUFFIX), ("GET", DOWN_SUFFIX), ("POST", UP_SUFFIX)):
                assert (await world.http.request(method, path + suffix)).status_code == 401
        assert (await world.http.post(world.path + OPEN_SUFFIX)).status_code == 401
        wrong = {TICKET_HEADER: "x", CARRIER_HEADER: "x", NUMBER_HEADER: "0"}
        assert (await world.http.post(world.path + OPEN_SUFFIX, headers=wrong)).status_code == 401
        assert (await world.http.get(world.path + DOWN_SUFFIX, headers=wrong)).status_code == 404
        assert (await world.http.post(world.path + UP_SUFFIX, headers=wrong)).status_code == 404
        lost = await world.http.get(world.path)
        assert (lost.status_code, "Upgrade header was lost" in lost.json()["detail"]) == (426, True)
        with pytest.raises(GatewayRefused) as refused:
            await world.transport.carrier(world.path)
        assert refused.value.status == 401


async def test_carrier_is_of_no_use_to_another_token_or_for_another_agent(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        stranger = {**headers, SESSION_TOKEN_HEADER: "another"}
        assert (await world.http.get(world.path + DOWN_SUFFIX, headers=stranger)).status_code == 404
        elsewhere = CLIENT_CARRIER_PATH.format(agent_id=uuid.uuid4())
        assert (await world.http.get(elsewhere + DOWN_SUFFIX, headers=headers)).status_code == 404
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers) as down:
            assert down.status_code == 200


async def test_pieces_are_refused_by_name_and_the_largest_is_not(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        up = world.path + UP_SUFFIX
        early = await world.http.post(up, content=FRAME, headers={**headers, NUMBER_HEADER: "0"})
        assert (early.status_code, early.json()["message"]) == (409, "This carrier has no answer yet: GET it first.")
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers):
            for number in ("", "-1", "x", "1_0", "1" * 19):
                named = {**headers, NUMBER_HEADER: number}
                assert (await world.http.post(up, content=FRAME, headers=named)).status_code == 400
            gap = await world.http.post(up, content=FRAME, headers={**headers, NUMBER_HEADER: "1"})
            assert (gap.status_code, "piece 0 did not" in gap.json()["message"]) == (409, True)
            large = b"".join([KEEP_ALIVE] * (MAX_UP_BYTES // len(KEEP_ALIVE)))
            over = await world.http.post(up, content=large + b"\0", headers={**headers, NUMBER_HEADER: "0"})
            assert over.status_code == 413
            assert (
                await world.http.post(up, content=large, headers={**headers, NUMBER_HEADER: "0"})
            ).status_code == 204
            again = await world.http.get(world.path + DOWN_SUFFIX, headers=headers)
            assert again.status_code == 409


async def test_pieces_are_no_requests_that_the_rate_limit_counts(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world, asyncio.timeout(CEILING_S):
        headers = await world.opened()
        async with world.http.stream("GET", world.path + DOWN_SUFFIX, headers=headers):
            for number in range(3):
                named = {**headers, NUMBER_HEADER: str(number)}
                taken = await world.http.post(world.path + UP_SUFFIX, content=KEEP_ALIVE, headers=named)
                assert taken.status_code == 204
                assert "X-RateLimit-Remaining" not in taken.headers
        opened = await world.http.post(world.path + OPEN_SUFFIX, headers=await world.ticket())
        assert opened.headers["X-RateLimit-Remaining"] == str(GENERAL_LIMIT - 2)
