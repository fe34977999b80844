"""Which way carriers go, by what their openings say."""

from __future__ import annotations

from typing import cast

import pytest

from genba_wire.aio.carrier import DialledCarrier
from genba_wire.aio.carrier_ways import REMEMBER_S, CarrierWays, WebsocketUse, read_websocket_use
from genba_wire.errors import GatewayRefused, GatewayUnreachable, TransportError

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
        self.asked: list[str] = []

    async def open_websocket(self) -> DialledCarrier:
        self.asked.append("websocket")
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
        known: dict[TransportError, tuple[str, bool]] = {
            REFUSED: ("strict/1.0 answers 403", False),
            BROKEN: ("they break", True),
        }
        return known.get(error)


class World:
    def __init__(self, use: WebsocketUse = WebsocketUse.AUTO) -> None:
        self.now = 100.0
        self.told: list[str] = []
        self.ways = CarrierWays(use, self.read_clock)
        self.ways.on_fallback = self.told.append
        self.played = PlayedWays()

    def read_clock(self) -> float:
        return self.now

    async def open(self, *websocket: TransportError | None) -> tuple[DialledCarrier, list[str]]:
        if websocket:
            self.played.websocket = list(websocket)
        self.played.asked.clear()
        return await self.ways.open(self.played), list(self.played.asked)


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
