"""The transport is imported without what the command line never needs."""

from __future__ import annotations

import asyncio
import sys

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
