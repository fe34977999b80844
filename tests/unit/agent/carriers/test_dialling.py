"""The gateway's "dial" commands, carried out against a real websocket server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from genba_agent.carriers.dialling import DIAL_S, MAX_DIALS, NONCE_KEPT_S, Dialler
from genba_wire.aio.carrier import DialledCarrier
from genba_wire.aio.http_dialling import open_http_carrier
from genba_wire.aio.stream import StreamHandler
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.http_carriers import DOWN_SUFFIX, TAKEN, UP_SUFFIX
from genba_wire.api.terminals import AGENT_CARRIER_PATH, TICKET_HEADER
from genba_wire.buffers import Buffer
from genba_wire.errors import GatewayUnreachable
from genba_wire.http_frames import KEEP_ALIVE, CarrierEnd, HttpEvent, HttpFrameReader
from genba_wire.tunnel.control import Dial, DialFailed
from genba_wire.tunnel.link import Link
from genba_wire.tunnel.link_events import DataReceived
from genba_wire.tunnel.mux import Mux, MuxEvent, StreamAccepted, StreamReset
from genba_wire.tunnel.mux_frames import ResetCode
from tests.support.agent_clock import FakeClock
from tests.support.carriers import CEILING_S
from tests.support.links import BOOT_ID, Hosts


class Gateway:
    """Takes the agent's carriers; on each it is the client of a link that opens one stream."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.dials: list[tuple[str, str]] = []
        self.outcomes: asyncio.Queue[MuxEvent] = asyncio.Queue()
        self.refusal: tuple[int, str] | None = None
        self.url = ""

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        self.dials.append((request.path, request.headers[TICKET_HEADER]))
        return None if self.refusal is None else connection.respond(*self.refusal)

    async def serve(self, connection: ServerConnection) -> None:
        link = Link.connect(uuid.uuid4().bytes, uuid.uuid4().bytes * 2, now=0)
        mux = Mux(is_client=True)
        link.attach(0)
        mux.open(self.kind, b"{}")
        link.send(mux.frames_to_send())
        await send_all(connection, link)
        async for message in connection:
            assert isinstance(message, bytes)
            for event in link.receive_message(message, 0):
                if isinstance(event, DataReceived):
                    for of_stream in mux.receive(event.data):
                        self.outcomes.put_nowait(of_stream)
            await send_all(connection, link)

    async def outcome(self) -> MuxEvent:
        async with asyncio.timeout(CEILING_S):
            return await self.outcomes.get()


async def send_all(connection: ServerConnection, link: Link) -> None:
    for message in link.messages_to_send():
        parts: list[Buffer] = list(message)
        await connection.send(b"".join(parts))


@asynccontextmanager
async def dialler_world(
    handlers: dict[str, StreamHandler], kind: str = "pty"
) -> AsyncGenerator[tuple[Gateway, Dialler, FakeClock, list[DialFailed]]]:
    gateway, clock = Gateway(kind), FakeClock()
    async with serve(gateway.serve, "127.0.0.1", 0, process_request=gateway.check) as server:
        url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        async with Transport(TransportOptions(url, token="agent-token")) as transport, asyncio.TaskGroup() as group:
            dialler = Dialler(transport, BOOT_ID, handlers, clock, group)
            yield gateway, dialler, clock, []
            await dialler.close("The test is over.")


def dial(nonce: str | None = None) -> Dial:
    return Dial(nonce=nonce or str(uuid.uuid4()), build_id="b", ticket="the-ticket")


async def test_dial_opens_a_carrier_whose_streams_are_served() -> None:
    hosts = Hosts()
    async with dialler_world({"pty": hosts.handle_stream}) as (gateway, dialler, _, failed):
        dialler.handle(dial(), failed.append)
        assert await gateway.outcome() == StreamAccepted(1, b"head of pty")
        assert (gateway.dials, hosts.opened) == ([(AGENT_CARRIER_PATH, "the-ticket")], [("pty", b"{}")])
        assert (len(dialler.links), failed) == (1, [])


async def test_repeated_command_dials_once_until_it_is_old() -> None:
    hosts = Hosts()
    async with dialler_world({"pty": hosts.handle_stream}) as (gateway, dialler, clock, failed):
        command = dial()
        dialler.handle(command, failed.append)
        dialler.handle(command, failed.append)
        await gateway.outcome()
        dialler.handle(command, failed.append)
        clock.advance(NONCE_KEPT_S - 1)
        dialler.handle(dial(), failed.append)
        await gateway.outcome()
        dialler.handle(command, failed.append)
        assert len(gateway.dials) == 2
        clock.advance(2)
        dialler.handle(command, failed.append)
        await gateway.outcome()
        assert (len(gateway.dials), failed) == (3, [])


async def test_stream_of_an_unknown_kind_is_refused() -> None:
    async with dialler_world({}, kind="teleport") as (gateway, dialler, _, failed):
        dialler.handle(dial(), failed.append)
        outcome = await gateway.outcome()
        assert isinstance(outcome, StreamReset)
        assert outcome.code == ResetCode.NOT_SUPPORTED
        assert "teleport" in outcome.reason


async def test_refused_dial_is_answered_with_the_gateways_words() -> None:
    async with dialler_world({}) as (gateway, dialler, _, _):
        gateway.refusal = (401, '{"message": "The ticket has expired."}')
        answers: asyncio.Queue[DialFailed] = asyncio.Queue()
        command = dial()
        dialler.handle(command, answers.put_nowait)
        async with asyncio.timeout(CEILING_S):
            assert await answers.get() == DialFailed(nonce=command.nonce, reason="The ticket has expired.")


async def test_unreachable_gateway_is_an_answer_too() -> None:
    answers: asyncio.Queue[DialFailed] = asyncio.Queue()
    async with Transport(TransportOptions("http://127.0.0.1:1")) as transport, asyncio.TaskGroup() as group:
        dialler = Dialler(transport, BOOT_ID, {}, FakeClock(), group)
        dialler.handle(dial(), answers.put_nowait)
        async with asyncio.timeout(CEILING_S):
            assert "Can't reach the gateway" in (await answers.get()).reason


async def test_way_to_the_gateway_is_told_how_long_a_dial_may_take() -> None:
    limits: list[object] = []

    class Noting(Transport):
        async def carrier(self, path: str, **how: object) -> DialledCarrier:
            limits.append(how["within_s"])
            raise GatewayUnreachable("no way")

    async with Noting(TransportOptions("http://127.0.0.1:1")) as transport, asyncio.TaskGroup() as group:
        Dialler(transport, BOOT_ID, {}, FakeClock(), group).handle(dial(), lambda _: None)
    assert limits == [DIAL_S]


class OverRequests(Transport):
    """Its carriers go over HTTP requests to a gateway that takes its time."""

    def __init__(self) -> None:
        super().__init__(TransportOptions("http://127.0.0.1:1"))
        self.client = httpx.AsyncClient(base_url="http://gateway.test", transport=httpx.MockTransport(self.answer))
        self.opened = asyncio.Event()
        self.came: list[HttpEvent] = []
        self._reader = HttpFrameReader()

    async def carrier(self, path: str, **_: object) -> DialledCarrier:
        try:
            return await open_http_carrier(self.client, path, params=None, headers={}, refuse=AssertionError)
        finally:
            self.opened.set()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith(DOWN_SUFFIX):
            return httpx.Response(200, content=self._keep_open())
        if not request.url.path.endswith(UP_SUFFIX):
            return httpx.Response(201, json={"carrier": "s3cret"})
        for _ in range(20):
            await asyncio.sleep(0)
        self.came += self._reader.feed(await request.aread())
        return httpx.Response(TAKEN)

    async def _keep_open(self) -> AsyncGenerator[bytes]:
        yield KEEP_ALIVE
        await asyncio.Event().wait()


@pytest.mark.parametrize("is_opened", [True, False])
async def test_last_words_over_requests_leave_before_the_agent_goes_on_to_stop(is_opened: bool) -> None:
    transport = OverRequests()
    async with transport, asyncio.timeout(CEILING_S), asyncio.TaskGroup() as group:
        dialler = Dialler(transport, BOOT_ID, {}, FakeClock(), group)
        dialler.handle(dial(), lambda _: None)
        if is_opened:
            await transport.opened.wait()
            await asyncio.sleep(0)
            await dialler.close("The agent was stopped.")
            await transport.client.aclose()
        else:
            # The carrier that opens after all does not keep the agent.
            await dialler.close("The agent was stopped.")
    assert transport.came == [CarrierEnd(1001, "The agent was stopped.")]


async def test_agent_that_stops_dials_no_more() -> None:
    answers: list[DialFailed] = []
    async with dialler_world({}) as (gateway, dialler, _, _):
        await dialler.close("The agent was stopped.")
        dialler.handle(dial("late"), answers.append)
    assert (answers, gateway.dials) == ([DialFailed(nonce="late", reason="The agent was stopped.")], [])


async def test_carrier_that_does_not_end_is_dropped_when_the_agent_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genba_agent.carriers.dialling.GOODBYE_S", 0)
    async with dialler_world({"pty": Hosts().handle_stream}) as (gateway, dialler, _, failed):
        dialler.handle(dial(), failed.append)
        await gateway.outcome()


async def test_more_dials_at_a_time_than_there_may_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_DIALS > 1
    monkeypatch.setattr("genba_agent.carriers.dialling.MAX_DIALS", 1)
    async with dialler_world({"pty": Hosts().handle_stream}) as (gateway, dialler, _, failed):
        dialler.handle(dial(), failed.append)
        too_many = dial()
        dialler.handle(too_many, failed.append)
        assert [answer.nonce for answer in failed] == [too_many.nonce]
        await gateway.outcome()
        dialler.handle(dial(), failed.append)
        await gateway.outcome()
        assert len(failed) == 1


async def test_command_for_another_build_is_refused() -> None:
    hosts = Hosts()
    async with dialler_world({"pty": hosts.handle_stream}) as (gateway, dialler, _, failed):
        dialler.handle(dial(), failed.append)
        await gateway.outcome()
        other = Dial(nonce=str(uuid.uuid4()), build_id="another", ticket="the-ticket")
        dialler.handle(other, failed.append)
        assert failed == [DialFailed(nonce=other.nonce, reason="The agent is of another build of the workspace.")]
        assert len(gateway.dials) == 1


async def test_ticket_for_tunnels_opens_no_terminal() -> None:
    hosts = Hosts()
    async with dialler_world({"pty": hosts.handle_stream}) as (gateway, dialler, _, failed):
        dialler.handle(
            Dial(nonce=str(uuid.uuid4()), build_id="b", ticket="the-ticket", purpose="tunnel"), failed.append
        )
        outcome = await gateway.outcome()
        assert isinstance(outcome, StreamReset)
        assert (outcome.code, hosts.opened) == (ResetCode.REFUSED, [])
