"""The transport is imported without what the command line never needs."""

from __future__ import annotations

import asyncio
import sys

import pytest

from genba_ide_bridge.api.connect import open_transport
from genba_wire.aio.carrier_ways import WebsocketUse
from genba_wire.errors import GatewayUnreachable

CODE = """
import sys
from genba_ide_bridge.api.connect import open_transport
open_transport("http://127.0.0.1:9", "", {})
print(sorted({"rich", "pygments", "h2", "hpack", "httpx._main"} & set(sys.modules)))
import h2, rich
"""


async def test_rich_and_http2_stay_out_and_can_be_imported_later() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CODE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert (out.decode(), err.decode()) == ("[]\n", "")


async def test_variable_chooses_the_way_of_carriers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENBA_WEBSOCKETS", "never")
    async with open_transport("http://127.0.0.1:9", "", {}) as transport:
        assert transport.options.websockets is WebsocketUse.NEVER
    monkeypatch.setenv("GENBA_WEBSOCKETS", "sometimes")
    with pytest.raises(GatewayUnreachable, match="GENBA_WEBSOCKETS is 'sometimes'"):
        open_transport("http://127.0.0.1:9", "", {})
