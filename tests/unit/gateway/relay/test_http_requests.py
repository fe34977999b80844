"""Trailers of requests as Hypercorn's protocols read them, however the bytes are cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypercorn.config import Config
from hypercorn.events import Event, RawData
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol

from genba_gateway.relay.http_requests import ThoroughH2, ThoroughH11, find_request_trailers

SUM = [(b"x-sum", b"1")]
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n"
SIZED = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"


class Flag:
    """What Hypercorn takes for an event."""

    async def set(self) -> None: ...

    async def clear(self) -> None: ...

    async def wait(self) -> None:
        raise AssertionError("nothing here waits")

    def is_set(self) -> bool:
        return False


class Context:
    """What Hypercorn takes for a worker's context, and for its tasks."""

    event_class = Flag

    def __init__(self) -> None:
        self.terminated = Flag()
        self.requests: list[Requested] = []

    async def mark_request(self) -> None: ...

    def spawn(self, *_args: Any) -> None: ...

    async def spawn_app(self, _app: Any, _config: Any, scope: Any, _send: Any) -> Any:
        self.requests.append(Requested(scope))
        return self.requests[-1].put


class Requested:
    """A request, and what was known of its trailers when each of its messages came."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope
        self.seen: list[tuple[bytes, list[tuple[bytes, bytes]]]] = []

    async def put(self, message: Any) -> None:
        if message["type"] == "http.request":
            self.seen.append((message["body"], find_request_trailers(self.scope)))


def open_protocol(kind: Callable[..., H11Protocol | H2Protocol]) -> tuple[H11Protocol | H2Protocol, Context]:
    context = Context()

    async def send(_event: Event) -> None: ...

    return kind(None, Config(), context, context, {}, False, ("127.0.0.1", 1), ("127.0.0.1", 2), send), context


def over_http2(trailers: list[tuple[str, str]]) -> bytes:
    client = H2Connection(H2Configuration(client_side=True))
    client.initiate_connection()
    client.send_headers(1, [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")])
    client.send_data(1, b"hi", end_stream=not trailers)
    if trailers:
        client.send_headers(1, trailers, end_stream=True)
    return client.data_to_send()


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("kind", "data"), [(ThoroughH11, CHUNKED), (ThoroughH2, over_http2([("x-sum", "1")]))])
async def test_trailers_are_known_with_the_last_of_a_body(kind: Any, data: bytes, size: int) -> None:
    protocol, context = open_protocol(kind)
    await protocol.initiate()
    for start in range(0, len(data), size):
        await protocol.handle(RawData(data[start : start + size]))
    (request,) = context.requests
    assert b"".join(body for body, _ in request.seen) == b"hi"
    assert request.seen[-1] == (b"", SUM)
    assert all(trailers == [] for body, trailers in request.seen if body)


@pytest.mark.parametrize(("kind", "data"), [(ThoroughH11, SIZED), (ThoroughH2, over_http2([]))])
async def test_a_request_without_trailers_has_none(kind: Any, data: bytes) -> None:
    protocol, context = open_protocol(kind)
    await protocol.initiate()
    await protocol.handle(RawData(data))
    assert context.requests[0].seen == [(b"hi", []), (b"", [])]


async def test_trailers_of_an_answered_request_are_nobodys() -> None:
    protocol, context = open_protocol(ThoroughH2)
    await protocol.initiate()
    assert isinstance(protocol, ThoroughH2)
    data, cut = over_http2([("x-sum", "1")]), len(over_http2([]))
    await protocol.handle(RawData(data[:cut]))
    await protocol._close_stream(1)  # pyright: ignore[reportPrivateUsage]
    await protocol.handle(RawData(data[cut:]))
    assert find_request_trailers(context.requests[0].scope) == []


def test_a_scope_of_another_server_has_no_trailers() -> None:
    assert find_request_trailers({}) == []
