"""Which way carriers go, by what their openings say."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from genba_wire.aio.carrier import DialledCarrier
from genba_wire.aio.carrier_ways import REMEMBER_S, CarrierWays, WebsocketUse, read_websocket_use
from genba_wire.errors import GatewayRefused, GatewayUnreachable, HttpWayClosed, TransportError

WEBSOCKET, HTTP = (cast("DialledCarrier", object()) for _ in range(2))
REFUSED = GatewayRefused(403, "no")
BROKEN = GatewayUnreachable("broken off")
STOPPED = GatewayRefused(409, "The workspace is stopped.")


class PlayedWays:
    """Each way fails as it is told to; `asked` tells what was tried."""

    def __init__(self) -> None:
        self.websocket: list[TransportError | None] = []
        """How the next websockets end; the last one goes on."""
        self.http: TransportError | None = None
        self.answers = True
        self.is_silent = False
        """The handshakes of websockets are not answered."""
        self.asked: list[str] = []

    async def open_websocket(self) -> DialledCarrier:
        self.asked.append("websocket")
        if self.is_silent:
            await asyncio.Event().wait()
        ending = self.websocket.pop(0) if len(self.websocket) > 1 else self.websocket[0]
        if ending is not None:
            raise ending
        return WEBSOCKET

    async def open_http(self) -> DialledCarrier:
        self.asked.append("http")
        if self.http is not None:
            raise self.http
        return HTTP

    async def is_answering(self) -> bool:
        self.asked.append("request")
        return self.answers

    def read_refusal(self, error: TransportError) -> tuple[str, bool] | None:
        if isinstance(error.__cause__, TimeoutError):
            return "no answer", True
        known: dict[TransportError, tuple[str, bool]] = {
            REFUSED: ("strict/1.0 answers 403", False),
            BROKEN: ("they break", True),
        }
        return known.get(error)


class World:
    def __init__(self, use: WebsocketUse = WebsocketUse.AUTO) -> None:
        self.now = 100.0
        self.told: list[str] = []
        self.ways = CarrierWays(use, self.read_clock, look_again_s=0)
        self.ways.on_fallback = self.told.append
        self.played = PlayedWays()

    def read_clock(self) -> float:
        return self.now

    async def open(
        self, *websocket: TransportError | None, within_s: float | None = None
    ) -> tuple[DialledCarrier, list[str]]:
        if websocket:
            self.played.websocket = list(websocket)
        self.played.asked.clear()
        async with asyncio.timeout(1):
            return await self.ways.open(self.played, within_s=within_s), list(self.played.asked)


async def test_websocket_that_opens_is_taken() -> None:
    world = World()
    assert await world.open(None) == (WEBSOCKET, ["websocket"])
    assert (world.told, world.ways.http_reason) == ([], "")


async def test_refused_websocket_is_remembered_told_once_and_tried_again_later() -> None:
    world = World()
    assert await world.open(REFUSED) == (HTTP, ["websocket", "http"])
    assert world.ways.http_reason == "strict/1.0 answers 403"
    world.now += REMEMBER_S - 1
    assert await world.open() == (HTTP, ["http"])
    world.now += 1
    assert await world.open() == (HTTP, ["websocket", "http"])
    assert world.told == ["strict/1.0 answers 403"]
    world.now += REMEMBER_S
    assert await world.open(None) == (WEBSOCKET, ["websocket"])
    assert world.ways.http_reason == ""
    assert await world.open(REFUSED) == (HTTP, ["websocket", "http"])
    assert world.told == ["strict/1.0 answers 403"] * 2


@pytest.mark.parametrize("error", [STOPPED, GatewayUnreachable("no route")])
async def test_what_says_nothing_of_websockets_is_the_answer(error: TransportError) -> None:
    world = World()
    with pytest.raises(type(error)) as caught:
        await world.open(error)
    assert caught.value is error
    assert (world.played.asked, world.told) == (["websocket"], [])


async def test_doubtful_refusal_counts_twice_in_a_row_and_only_while_the_gateway_answers() -> None:
    world = World()
    assert await world.open(BROKEN) == (HTTP, ["websocket", "request", "websocket", "http"])
    assert world.told == ["they break"]

    away = World()
    away.played.answers = False
    with pytest.raises(GatewayUnreachable, match="broken off"):
        await away.open(BROKEN)
    assert away.played.asked == ["websocket", "request"]

    restarted = World()
    assert await restarted.open(BROKEN, None) == (WEBSOCKET, ["websocket", "request", "websocket"])
    assert restarted.told == []

    stopped = World()
    with pytest.raises(GatewayRefused, match="is stopped"):
        await stopped.open(BROKEN, STOPPED)
    assert stopped.played.asked == ["websocket", "request", "websocket"]


@pytest.mark.parametrize(("http", "wanted"), [(GatewayRefused(404, "Route not found."), REFUSED), (STOPPED, STOPPED)])
async def test_no_of_the_gateway_over_requests_is_the_answer_unless_it_does_not_know_them(
    http: GatewayRefused, wanted: GatewayRefused
) -> None:
    world = World()
    world.played.http = http
    with pytest.raises(GatewayRefused) as caught:
        await world.open(REFUSED)
    assert caught.value is wanted
    assert world.ways.http_reason == ""


async def test_both_ways_are_named_where_neither_is_open() -> None:
    world = World()
    world.played.http = GatewayUnreachable("held back")
    with pytest.raises(GatewayUnreachable, match="no held back"):
        await world.open(REFUSED)
    assert world.told == []


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (GatewayRefused(403, "blocked"), ["websocket", "http"]),
        (GatewayRefused(302, "sign in to this network"), ["websocket", "http"]),
        (HttpWayClosed("held back"), ["websocket", "http"]),
        (GatewayUnreachable("away"), ["http"]),
        (STOPPED, ["http"]),
    ],
)
async def test_way_over_requests_that_is_closed_too_is_not_remembered(error: TransportError, then: list[str]) -> None:
    world = World()
    await world.open(REFUSED)
    world.played.http = error
    with pytest.raises(type(error)):
        await world.open()
    world.played.http = None
    assert await world.open() == (HTTP, then)


async def test_one_carrier_looks_again_and_what_is_not_answered_costs_it_little() -> None:
    world = World()
    await world.open(REFUSED)
    world.now += REMEMBER_S
    world.played.is_silent = True
    assert await world.open() == (HTTP, ["websocket", "http"])
    assert await world.open() == (HTTP, ["http"])
    assert world.told == ["strict/1.0 answers 403"]
    world.now += REMEMBER_S
    assert await world.open() == (HTTP, ["websocket", "http"])


async def test_look_that_its_caller_gives_up_is_not_repeated_by_the_next_carrier() -> None:
    world = World()
    world.ways = CarrierWays(WebsocketUse.AUTO, world.read_clock)
    await world.open(REFUSED)
    world.now += REMEMBER_S
    world.played.is_silent = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await world.ways.open(world.played)
    assert await world.open() == (HTTP, ["http"])


async def test_doubt_at_a_second_look_is_none_and_what_the_gateway_says_then_is_the_answer() -> None:
    world = World()
    await world.open(REFUSED)
    world.now += REMEMBER_S
    assert await world.open(BROKEN) == (HTTP, ["websocket", "http"])
    assert world.ways.http_reason == "strict/1.0 answers 403"
    world.now += REMEMBER_S
    with pytest.raises(GatewayRefused, match="is stopped"):
        await world.open(STOPPED)


async def test_limit_of_the_caller_leaves_time_for_the_way_over_requests() -> None:
    world = World()
    world.played.is_silent = True
    assert await world.open(within_s=0) == (HTTP, ["websocket", "request", "websocket", "http"])
    assert (world.told, world.ways.is_without_websockets) == (["no answer"], True)


async def test_either_way_can_be_chosen() -> None:
    always = World(WebsocketUse.ALWAYS)
    with pytest.raises(GatewayRefused):
        await always.open(REFUSED)
    assert always.played.asked == ["websocket"]
    never = World(WebsocketUse.NEVER)
    assert await never.open(None) == (HTTP, ["http"])
    assert await never.open(None) == (HTTP, ["http"])
    never.ways.note_websocket()
    assert never.told == [never.ways.http_reason] == ["GENBA_WEBSOCKETS forbids them"]
    assert (never.ways.is_without_websockets, always.ways.is_without_websockets) == (True, False)
    assert not await always.ways.lacks_websockets(always.played, REFUSED)


async def test_other_websockets_find_out_too_and_carriers_know_it() -> None:
    world = World()
    assert not await world.ways.lacks_websockets(world.played, STOPPED)
    assert not await world.ways.lacks_websockets(world.played, BROKEN)
    assert not await world.ways.lacks_websockets(world.played, STOPPED)
    assert not await world.ways.lacks_websockets(world.played, BROKEN)
    world.played.answers = False
    assert not await world.ways.lacks_websockets(world.played, BROKEN)
    world.played.answers = True
    assert not await world.ways.lacks_websockets(world.played, BROKEN)
    assert not world.ways.is_without_websockets
    assert await world.ways.lacks_websockets(world.played, BROKEN)
    assert (world.ways.is_without_websockets, world.told) == (True, ["they break"])
    assert await world.open(None) == (HTTP, ["http"])
    world.ways.note_websocket()
    assert not world.ways.is_without_websockets
    assert await world.ways.lacks_websockets(world.played, REFUSED)
    assert world.told == ["they break", "strict/1.0 answers 403"]


@pytest.mark.parametrize(
    ("environ", "use"),
    [
        ({}, WebsocketUse.AUTO),
        ({"GENBA_WEBSOCKETS": ""}, WebsocketUse.AUTO),
        ({"GENBA_WEBSOCKETS": " Never "}, WebsocketUse.NEVER),
        ({"GENBA_WEBSOCKETS": "always"}, WebsocketUse.ALWAYS),
    ],
)
def test_variable_names_the_way(environ: dict[str, str], use: WebsocketUse) -> None:
    assert read_websocket_use(environ) is use


def test_variable_that_says_something_else_is_refused_by_name() -> None:
    with pytest.raises(GatewayUnreachable, match="GENBA_WEBSOCKETS is 'yes'; it may be one of auto, always, never"):
        read_websocket_use({"GENBA_WEBSOCKETS": "yes"})
