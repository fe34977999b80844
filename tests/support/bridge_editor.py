"""An editor that talks to a real `genba bridge` process, over either of its transports."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

CEILING_S: Final = 60.0

EditorTransport = Literal["stdio", "ws"]
TRANSPORTS: Final[tuple[EditorTransport, ...]] = ("stdio", "ws")

BRIDGE: Final = (sys.executable, "-m", "genba_ide_bridge.cli.main", "bridge")


class RequestRefused(Exception):
    """The bridge answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(json.dumps(error))
        self.code: int = error["code"]
        self.data: dict[str, Any] = error.get("data") or {}


class _Way(Protocol):
    async def send(self, body: bytes) -> None: ...

    async def receive(self) -> bytes | None: ...

    async def hang_up(self) -> None: ...


@dataclass(slots=True)
class _Stdio:
    process: asyncio.subprocess.Process

    async def send(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        await self.process.stdin.drain()

    async def receive(self) -> bytes | None:
        assert self.process.stdout is not None
        length = 0
        while line := await self.process.stdout.readline():
            name, _, value = line.strip().partition(b":")
            # Nothing but LSP may be there, so that anything else is a failure here.
            assert name in (b"Content-Length", b"Content-Type", b""), line
            if name == b"Content-Length":
                length = int(value)
            if not name:
                return await self.process.stdout.readexactly(length)
        return None

    async def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()


@dataclass(slots=True)
class _WebSocket:
    connection: ClientConnection

    async def send(self, body: bytes) -> None:
        await self.connection.send(body, text=True)

    async def receive(self) -> bytes | None:
        try:
            message = await self.connection.recv()
        except ConnectionClosed:
            return None
        assert isinstance(message, str)
        return message.encode()

    async def hang_up(self) -> None:
        await self.connection.close()


@dataclass(slots=True)
class BridgeEditor:
    """Requests out, notifications in. `errors` is what the process wrote to standard error."""

    process: asyncio.subprocess.Process
    way: _Way
    notifications: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    errors: bytearray = field(default_factory=bytearray)
    _answers: dict[int, asyncio.Future[dict[str, Any]]] = field(
        default_factory=dict[int, "asyncio.Future[dict[str, Any]]"]
    )
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _last_id: int = 0
    _is_over: bool = False

    async def ask(self, method: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Send a request and return its result."""
        self._last_id += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._last_id] = answer
        await self._send({"id": self._last_id, "method": method, "params": parameters or {}})
        try:
            async with asyncio.timeout(CEILING_S):
                said = await answer
        except (TimeoutError, ConnectionError) as error:
            raise AssertionError(f"{method} was not answered; {self.errors.decode()}") from error
        if "error" in said:
            raise RequestRefused(said["error"])
        return said["result"]

    async def refusal_of(self, method: str, parameters: Mapping[str, Any] | None = None) -> RequestRefused:
        """Send a request that must be answered with an error."""
        try:
            result = await self.ask(method, parameters)
        except RequestRefused as refusal:
            return refusal
        raise AssertionError(f"{method} was answered with {result}")

    async def tell(self, method: str) -> None:
        """Send a notification."""
        await self._send({"method": method, "params": None})

    async def _send(self, message: dict[str, Any]) -> None:
        await self.way.send(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until the notifications fulfil something."""
        try:
            async with asyncio.timeout(CEILING_S):
                while not condition():
                    if self._is_over:
                        raise ConnectionError("the bridge has ended")
                    self._changed.clear()
                    await self._changed.wait()
        except (TimeoutError, ConnectionError) as error:
            raise AssertionError(f"not seen: {self.notifications}; {self.errors.decode()}") from error

    def told(self, method: str) -> list[dict[str, Any]]:
        """The parameters of all notifications of that name."""
        return [parameters for name, parameters in self.notifications if name == method]

    async def receive_all(self) -> None:
        """Take what the bridge sends until it ends."""
        while (body := await self.way.receive()) is not None:
            message = json.loads(body)
            assert message["jsonrpc"] == "2.0"
            if "method" in message:
                self.notifications.append((message["method"], message["params"]))
                self._changed.set()
            else:
                self._answers.pop(message["id"]).set_result(message)
        self._is_over = True
        self._changed.set()
        for answer in self._answers.values():
            answer.set_exception(ConnectionError("the bridge has ended"))

    async def read_errors(self) -> None:
        """Keep what the bridge logs."""
        assert self.process.stderr is not None
        while chunk := await self.process.stderr.read(65536):
            self.errors += chunk

    async def end(self) -> int:
        """Wait for the end of the process; its exit code."""
        async with asyncio.timeout(CEILING_S):
            return await self.process.wait()


@asynccontextmanager
async def bridge_editor(
    transport: EditorTransport, environment: Mapping[str, str], *, is_initialized: bool = True
) -> AsyncGenerator[BridgeEditor]:
    """Start the bridge and talk to it; at the end of the block nothing of it is left."""
    arguments = ["--stdio"] if transport == "stdio" else ["--ws", "127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(
        *BRIDGE,
        *arguments,
        "--verbose",
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        way: _Way = _Stdio(process) if transport == "stdio" else _WebSocket(await _connect(process))
        editor = BridgeEditor(process, way)
        async with asyncio.TaskGroup() as group:
            group.create_task(editor.receive_all(), name="editor")
            group.create_task(editor.read_errors(), name="log of the bridge")
            if is_initialized:
                await editor.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
                await editor.tell("initialized")
            yield editor
            if process.returncode is None:
                process.kill()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        # A pipe that nobody closes would be reported as a leak.
        if process.stdin is not None:
            process.stdin.close()


async def read_announcement(process: asyncio.subprocess.Process) -> dict[str, str]:
    """The line that `--ws` prints."""
    assert process.stdout is not None
    async with asyncio.timeout(CEILING_S):
        announced: dict[str, str] = json.loads(await process.stdout.readline())
    return announced


async def _connect(process: asyncio.subprocess.Process) -> ClientConnection:
    announced = await read_announcement(process)
    subprotocols = [Subprotocol("genba-bridge"), Subprotocol(f"genba-token.{announced['token']}")]
    connection = await connect(announced["url"], subprotocols=subprotocols)
    assert connection.subprotocol == "genba-bridge"
    return connection


@asynccontextmanager
async def open_stream(opened: Mapping[str, str]) -> AsyncGenerator[ClientConnection]:
    """Open a stream that a request prepared, as the editor does."""
    async with connect(opened["url"], max_size=None) as connection:
        await connection.send(json.dumps({"token": opened["token"]}))
        yield connection


async def read_log_stream(connection: ClientConnection) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """All lines of a log stream, and its last message."""
    lines: list[dict[str, str]] = []
    async with asyncio.timeout(CEILING_S):
        while True:
            message = json.loads(await connection.recv())
            if "lines" not in message:
                return lines, message
            lines += message["lines"]
