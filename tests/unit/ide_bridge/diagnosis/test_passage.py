"""What becomes of streams, bodies and silence, with servers that are wrong in one way each."""

from __future__ import annotations

import hashlib

import pytest

from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.passage import probe_passage
from genba_wire.aio.transport import Transport, TransportOptions
from genba_wire.api.message import encode_message
from genba_wire.api.stream_check import STREAM_CHECK_PATH, StreamCheck
from tests.support.broken_servers import BrokenServer, broken_server, http_answer

TEXT = "http://genba.test <html>"
FIRST = StreamCheck(text=TEXT, sha256=hashlib.sha256(TEXT.encode()).hexdigest(), host="genba.test")
LAST = StreamCheck(text="", sha256="", host="genba.test", is_last=True)


def events(*checks: StreamCheck) -> bytes:
    return b"event: ping\n\n" + b"".join(b"event: data\ndata: " + encode_message(check) + b"\n\n" for check in checks)


async def look(
    server: BrokenServer, *, silence_s: float = 0, stream_s: float = 10, websocket: Failure | None = None
) -> Findings:
    async with Transport(TransportOptions(base_url=server.url)) as transport:
        before = Findings(url=server.url, websocket=websocket)
        return await probe_passage(transport, before, silence_s=silence_s, stream_s=stream_s)


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (events(FIRST), None),
        (events(FIRST, LAST), Failure(FailureKind.HELD_BACK)),
        (events(FIRST).replace(b"http:", b"https:"), Failure(FailureKind.ALTERED, TEXT.replace("http:", "https:"))),
        (events(FIRST).replace(b"{", b"["), Failure(FailureKind.ALTERED)),
        (b"", Failure(FailureKind.ALTERED)),
    ],
)
async def test_stream_is_judged_by_what_arrives_when(body: bytes, failure: Failure | None) -> None:
    async with broken_server() as server:
        server.answers[STREAM_CHECK_PATH] = http_answer(200, body)
        assert (await look(server)).stream == failure


async def test_host_that_reached_the_gateway_is_kept() -> None:
    async with broken_server() as server:
        server.answers[STREAM_CHECK_PATH] = http_answer(200, events(FIRST))
        assert (await look(server)).host == "genba.test"


async def test_stream_that_does_not_begin_in_time_is_held_back() -> None:
    async with broken_server() as server:
        server.answers[STREAM_CHECK_PATH] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        assert (await look(server, stream_s=0.05)).stream == Failure(FailureKind.HELD_BACK)


async def test_older_gateway_has_no_such_stream() -> None:
    async with broken_server() as server:
        server.answers[STREAM_CHECK_PATH] = http_answer(404, b'{"message":"Route not found."}')
        found = await look(server)
    assert (found.stream, found.host) == (None, "")


async def test_body_that_is_refused_for_its_size_is_named() -> None:
    async with broken_server() as server:
        server.answers["/api/v2/buildinfo"] = http_answer(413)
        assert (await look(server)).upload == Failure(FailureKind.STATUS, status=413)
        server.answers["/api/v2/buildinfo"] = http_answer(405)
        assert (await look(server)).upload is None


async def test_silence_that_is_cut_is_found_and_one_that_lasts_is_not() -> None:
    async with broken_server() as server:
        assert (await look(server, silence_s=0.05)).silence is None
        server.first_message = b"\x81\x02{}\x88\x00"
        failure = (await look(server, silence_s=20)).silence
    assert failure is not None
    assert (failure.kind, failure.detail) == (FailureKind.CUT_WHEN_SILENT, "0 s")


async def test_nothing_is_asked_of_what_does_not_answer() -> None:
    closed = Failure(FailureKind.CLOSED)
    found = Findings(url="http://127.0.0.1:1", http=closed)
    async with Transport(TransportOptions(base_url=found.url)) as transport:
        assert await probe_passage(transport, found, silence_s=20) == found


async def test_silence_is_not_watched_where_websockets_fail() -> None:
    refused = Failure(FailureKind.STATUS, status=403)
    async with broken_server() as server:
        assert (await look(server, silence_s=20, websocket=refused)).silence is None
