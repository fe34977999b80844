"""A small gateway for agents: real sockets on loopback, scripted faults, everything recorded.

HTTP through h11, websockets through `websockets`' protocol class, on asyncio streams, so that a test can do what no
server framework does: store a request and die before answering it, and come back on the same port.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import h11
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from genba_wire.api.agent_protocol import CONTROL_PATH, LOG_BATCH_HEADER, Manifest
from genba_wire.api.message import encode_message
from tests.support.agent_control import ControlTalk

ME: Final = "/api/v2/workspaceagents/me"
TOKEN: Final = "5a9c1f0e-9f6e-4a53-9d0c-6f9f3c1f2b11"
CEILING_S: Final = 30.0
"""How long a test waits for something that has to happen."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What came in, before any fault."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests of a path: a status, or an abort after it was stored."""

    path: str
    times: int
    status: int | None = None
    aborts_after_storing: bool = False


@dataclass(slots=True)
class StoredLine:
    """A line as the gateway would keep it."""

    source_id: str
    level: str
    output: str


@dataclass
class AgentGateway:
    """Start it with `start`; it keeps what it stored when it is stopped and started again."""

    manifest: Manifest
    git_key: Json = field(default_factory=dict[str, Any])
    token: str = TOKEN
    report_interval_ns: int = 30_000_000_000
    port: int = 0
    requests: list[RecordedRequest] = field(default_factory=list[RecordedRequest])
    lines: list[StoredLine] = field(default_factory=list[StoredLine])
    next_numbers: dict[str, int] = field(default_factory=lambda: defaultdict[str, int](int))
    missing_numbers: int = 0
    batch_sizes: list[int] = field(default_factory=list[int])
    lifecycle: list[str] = field(default_factory=list[str])
    startups: list[Json] = field(default_factory=list[Json])
    metadata: list[Json] = field(default_factory=list[Json])
    script_timings: list[Json] = field(default_factory=list[Json])
    stats: list[Json] = field(default_factory=list[Json])
    healths: dict[str, str] = field(default_factory=dict[str, str])
    answers: dict[str, Json] = field(default_factory=dict[str, Json])
    """What other paths are answered with; without an entry they are not known."""
    control: ControlTalk = field(default_factory=ControlTalk)
    control_connections: int = 0
    open_controls: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])
    on_request: Callable[[RecordedRequest], None] | None = None
    logs_held: asyncio.Event | None = None
    """While set to an unset event, answers to log batches wait for it."""

    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    _control_writers: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Vanish: connections are reset, the port refuses."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self.wait_for(lambda: not self._writers)
        self._server = None

    def close_control(self) -> None:
        """Abort the control websockets only."""
        for writer in list(self._control_writers):
            writer.transport.abort()

    def send_control(self, message: bytes) -> None:
        """Send a message on every control carrier."""
        for writer in self._control_writers:
            writer.write(Frame(Opcode.BINARY, message).serialize(mask=False))

    def fail_next(self, path: str, status: int, times: int = 1) -> None:
        """Answer requests of /me/<path> with a status, without storing them."""
        self.faults.append(Fault(path, times, status=status))

    def abort_next(self, path: str, times: int = 1) -> None:
        """Store requests of /me/<path>, and reset the connection instead of answering."""
        self.faults.append(Fault(path, times, aborts_after_storing=True))

    def output_of(self, source_id: str, level: str | None = None) -> list[str]:
        return [
            line.output for line in self.lines if line.source_id == source_id and (level is None or line.level == level)
        ]

    async def wait_for(self, is_true: Callable[[], bool]) -> None:
        """Return when the condition holds; it is checked after everything that happens here."""
        async with asyncio.timeout(CEILING_S):
            while not is_true():
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                await self._serve_control(head, reader, writer)
            else:
                await self._serve_http(head, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            self._changed.set()

    async def _serve_control(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol()
        protocol.receive_data(head)
        request = cast(Request, protocol.events_received()[0])
        recorded = RecordedRequest("GET", request.path, {k.lower(): v for k, v in request.headers.raw_items()}, b"")
        status = self._refusal_of(recorded)
        if status is None and request.path != CONTROL_PATH:
            status = 404
        response = protocol.reject(status, "refused") if status else protocol.accept(request)
        protocol.send_response(response)
        for data in protocol.data_to_send():
            writer.write(data)
        if status:
            return
        self.control_connections += 1
        self.open_controls += 1
        self._control_writers.add(writer)
        self._changed.set()
        try:
            while data := await reader.read(65536):
                protocol.receive_data(data)
                for event in protocol.events_received():
                    if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                        answer = self.control.answer(bytes(event.data))
                        self._changed.set()
                        if answer is not None:
                            protocol.send_binary(answer)
                    elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                        self.control.goodbyes += 1
                for data in protocol.data_to_send():
                    writer.write(data)
                if protocol.close_expected():
                    return
        finally:
            self._control_writers.discard(writer)
            self.open_controls -= 1
            self._changed.set()

    async def _serve_http(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(head)
        while True:
            request, body = None, b""
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await reader.read(65536))
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return
            assert request is not None
            headers = {name.decode(): value.decode() for name, value in request.headers}
            recorded = RecordedRequest(request.method.decode(), request.target.decode(), headers, body)
            answer = await self._handle(recorded)
            if answer is None:
                writer.transport.abort()
                return
            status, content = answer
            response = h11.Response(
                status_code=status,
                headers=[("content-type", "application/json"), ("content-length", str(len(content)))],
            )
            for event in (response, h11.Data(data=content), h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            self._changed.set()
            connection.start_next_cycle()

    async def _handle(self, request: RecordedRequest) -> tuple[int, bytes] | None:
        refusal = self._refusal_of(request)
        if refusal is not None:
            return refusal, json.dumps({"message": f"Refused with {refusal}."}).encode()
        fault = self._take_fault(request)
        if fault is not None and fault.status is not None:
            return fault.status, json.dumps({"message": f"Failed with {fault.status}."}).encode()
        status, content = self._store(request)
        self._changed.set()
        if self.logs_held is not None and request.path == f"{ME}/logs":
            await self.logs_held.wait()
        if fault is not None and fault.aborts_after_storing:
            return None
        return status, encode_message(content)

    def _refusal_of(self, request: RecordedRequest) -> int | None:
        self.requests.append(request)
        self._changed.set()
        if self.on_request is not None:
            self.on_request(request)
        return None if request.headers.get("coder-session-token") == self.token else 401

    def _take_fault(self, request: RecordedRequest) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and request.path in (fault.path, f"{ME}/{fault.path}"):
                fault.times -= 1
                return fault
        return None

    def _store(self, request: RecordedRequest) -> tuple[int, object]:
        body: Json = json.loads(request.body) if request.body else {}
        match request.method, request.path.removeprefix(f"{ME}/"):
            case "GET", "manifest":
                return 200, self.manifest
            case "GET", "gitsshkey":
                return 200, self.git_key
            case "POST", "startup":
                self.startups.append(body)
            case "POST", "report-lifecycle":
                self.lifecycle.append(body["state"])
            case "POST", "script-timings":
                self.script_timings.append(body)
            case "POST", "report-stats":
                self.stats.append(body)
                return 200, {"report_interval": self.report_interval_ns}
            case "POST", "metadata":
                self.metadata.extend(body["metadata"])
            case "POST", "app-health":
                self.healths.update(body["Healths"])
            case "PATCH", "logs":
                self._store_lines(request.headers[LOG_BATCH_HEADER.lower()], body)
            case _ if request.path in self.answers:
                return 200, self.answers[request.path]
            case _:
                return 404, {"message": "Route not found."}
        return 200, None

    def _store_lines(self, batch: str, body: Json) -> None:
        """Keep each numbered line of a spool once, as LOG_BATCH_HEADER says."""
        boot_id, first = batch.rsplit("/", 1)
        self.batch_sizes.append(len(body["logs"]))
        for number, line in enumerate(body["logs"], start=int(first)):
            if number >= self.next_numbers[boot_id]:
                self.missing_numbers += number - self.next_numbers[boot_id]
                self.next_numbers[boot_id] = number + 1
                self.lines.append(StoredLine(body["log_source_id"], line["level"], line["output"]))


@asynccontextmanager
async def running_gateway(manifest: Manifest) -> AsyncGenerator[AgentGateway]:
    """A started gateway, stopped at the end."""
    gateway = AgentGateway(manifest)
    await gateway.start()
    try:
        yield gateway
    finally:
        if gateway._server is not None:  # pyright: ignore[reportPrivateUsage] (our own)
            await gateway.stop()
