"""Calls over a real socket, as Terraform makes them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import grpc
import pytest

from genba_gateway.provider import tfplugin6_pb2 as pb
from genba_gateway.provider.catalogue import list_providers
from genba_gateway.provider.context import ProviderContext, Session
from genba_gateway.provider.endpoint import SERVICE, listen
from genba_gateway.provider.packing import pack
from genba_gateway.provider.server import Servicer

OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


@pytest.fixture
def session() -> Session:
    return Session(ProviderContext("job", "http://gateway", {}))


@asynccontextmanager
async def connect(session: Session, folder: Path) -> AsyncGenerator[grpc.aio.Channel]:
    """Serve coder/coder for one build and open a channel to it."""
    coder = list_providers(None)[0]
    servicer = Servicer(coder.provider, coder.schemas, session)
    target = f"unix:{folder / 's'}"
    async with listen(servicer, folder / "s"), grpc.aio.insecure_channel(target, options=OPTIONS) as channel:
        yield channel


async def call(channel: grpc.aio.Channel, name: str, request: bytes = b"") -> bytes:
    # Its types know messages only, but without serializers it takes and gives bytes.
    ask = cast("Callable[[bytes], Awaitable[bytes]]", channel.unary_unary(f"/{SERVICE}/{name}"))
    return await ask(request)


async def test_schemas_are_served(session: Session, short_dir: Path) -> None:
    async with connect(session, short_dir) as channel:
        answer = await call(channel, "GetProviderSchema")
    assert "coder_agent" in pb.GetProviderSchema.Response.FromString(answer).resource_schemas


@pytest.mark.parametrize("name", ["GetMetadata", "MoveResourceState", "CallFunction", "FromTheFuture"])
async def test_unknown_call_is_unimplemented(session: Session, short_dir: Path, name: str) -> None:
    async with connect(session, short_dir) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, name)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_stop_is_a_notice_that_the_next_command_takes_back(session: Session, short_dir: Path) -> None:
    empty = pb.DynamicValue(msgpack=pack({"url": None}))
    async with connect(session, short_dir) as channel:
        await call(channel, "StopProvider")
        assert session.cancel.is_given
        await call(channel, "ConfigureProvider", pb.ConfigureProvider.Request(config=empty).SerializeToString())
        assert not session.cancel.is_given


async def test_value_that_does_not_fit_its_schema_ends_the_call_and_is_logged(
    session: Session, short_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = pb.DynamicValue(msgpack=pack({"url": 1}))
    async with connect(session, short_dir) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, "ConfigureProvider", pb.ConfigureProvider.Request(config=wrong).SerializeToString())
        # And only this call.
        await call(channel, "GetProviderSchema")
    assert "MalformedValue" in (caught.value.details() or "")
    (record,) = [each for each in caplog.records if each.name.startswith("genba_gateway")]
    assert "ConfigureProvider" in record.getMessage()
    assert record.exc_info is not None


async def test_message_of_several_mebibytes_passes(session: Session, short_dir: Path) -> None:
    config = {"agent_id": "a", "name": "A", "value": "x" * (5 << 20), "id": None, "merge_strategy": None}
    request = pb.ValidateResourceConfig.Request(type_name="coder_env", config=pb.DynamicValue(msgpack=pack(config)))
    async with connect(session, short_dir) as channel:
        answer = await call(channel, "ValidateResourceConfig", request.SerializeToString())
    assert list(pb.ValidateResourceConfig.Response.FromString(answer).diagnostics) == []


async def test_socket_is_gone_afterwards(session: Session, short_dir: Path) -> None:
    async with connect(session, short_dir):
        pass
    assert os.listdir(short_dir) == []
