"""What gets through to a gateway besides requests: streamed answers, large bodies, and silence."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from genba_ide_bridge.diagnosis.failures import classify
from genba_ide_bridge.diagnosis.findings import Failure, FailureKind, Findings
from genba_ide_bridge.diagnosis.probing import WEBSOCKET_PATH
from genba_wire.api.message import decode_message
from genba_wire.api.stream_check import STREAM_CHECK_PATH, StreamCheck
from genba_wire.errors import GatewayRefused, TransportError

if TYPE_CHECKING:
    from genba_wire.aio.transport import Transport

STREAM_S: Final = 15.0
"""How long the first event may take; the gateway sends it at once, and the last one 3 s later."""

BETWEEN_S: Final = 0.5
"""Who gets the last event within so long after the first got both late."""

UPLOAD_BYTES: Final = 1024 * 1024 + 1
"""nginx refuses more than 1 MiB unless told otherwise. More would take long on slow lines."""

UPLOAD_S: Final = 30.0

_EVENT_END: Final = b"\n\n"
_DATA: Final = b"data: "


async def probe_passage(
    transport: Transport, found: Findings, *, silence_s: float = 0.0, stream_s: float = STREAM_S
) -> Findings:
    """Add to findings what takes longer than `probe`: a second or so, and the time of the silence.

    Args:
        found: what `probe` returned; without plain requests or websockets there is nothing to add about them.
        silence_s: how long a websocket is watched in which only the gateway speaks, every 15 s; 0 for not at all.
        stream_s: how long the first event of a stream may take.
    """
    if found.http is not None:
        return found
    stream, host = await _try_stream(transport, stream_s)
    found = replace(found, stream=stream, host=host, upload=await _try_upload(transport))
    if silence_s and found.websocket is None:
        found = replace(found, silence=await _try_silence(transport, silence_s))
    return found


async def _try_stream(transport: Transport, stream_s: float) -> tuple[Failure | None, str]:
    received = bytearray()
    try:
        async with asyncio.timeout(stream_s), transport.stream(STREAM_CHECK_PATH) as response:
            coding = response.headers.get("Content-Encoding", "")
            pieces = response.aiter_bytes()
            await _receive(pieces, received, 1)
            with suppress(TimeoutError):
                async with asyncio.timeout(BETWEEN_S):
                    await _receive(pieces, received, 2)
    except TimeoutError:
        return Failure(FailureKind.HELD_BACK), ""
    except GatewayRefused:
        # An older gateway.
        return None, ""
    except TransportError as error:
        return classify(error), ""
    return _judge_events(_find_events(bytes(received)), coding)


async def _receive(pieces: AsyncIterator[bytes], received: bytearray, count: int) -> None:
    """Read until so many events are there, or the body ends."""
    while len(_find_events(bytes(received))) < count:
        piece = await anext(pieces, b"")
        if not piece:
            return
        received += piece


def _find_events(received: bytes) -> list[bytes]:
    """The data of all events that have arrived whole."""
    whole = received.rpartition(_EVENT_END)[0]
    return [line.removeprefix(_DATA) for line in whole.splitlines() if line.startswith(_DATA)]


def _judge_events(events: list[bytes], coding: str) -> tuple[Failure | None, str]:
    try:
        first, *later = [decode_message(event, StreamCheck) for event in events]
    except (msgspec.MsgspecError, ValueError):  # changed beyond recognition, or cut off
        return Failure(FailureKind.ALTERED), ""
    if hashlib.sha256(first.text.encode()).hexdigest() != first.sha256:
        return Failure(FailureKind.ALTERED, first.text), first.host
    return (Failure(FailureKind.HELD_BACK, coding) if later else None), first.host


async def _try_upload(transport: Transport) -> Failure | None:
    try:
        # The gateway has no use for a body there, and says so; what counts is whether it is who answers.
        await transport.request("POST", "/api/v2/buildinfo", content=bytes(UPLOAD_BYTES), timeout_s=UPLOAD_S)
    except GatewayRefused as refusal:
        return Failure(FailureKind.STATUS, status=413) if refusal.status == 413 else None
    except TransportError:
        # A slow line, or one that breaks: not the matter here.
        return None
    return None


async def _try_silence(transport: Transport, silence_s: float) -> Failure | None:
    from websockets.exceptions import ConnectionClosed

    clock = asyncio.get_running_loop().time
    try:
        async with transport.websocket(WEBSOCKET_PATH, ping_interval_s=None) as connection:
            await connection.recv()
            began = clock()
            async with asyncio.timeout(silence_s):
                await connection.wait_closed()
            return Failure(FailureKind.CUT_WHEN_SILENT, f"{clock() - began:.0f} s")
    except TimeoutError:
        return None
    except (TransportError, ConnectionClosed) as error:
        return classify(error)
