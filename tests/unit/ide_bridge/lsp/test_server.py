"""The bridge's requests are those that its documentation names."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from genba_ide_bridge.lsp.bulk import BulkServer
from genba_ide_bridge.lsp.editor_protocol import EditorServer
from genba_ide_bridge.lsp.server import Requests
from genba_ide_bridge.lsp.workspaces import WorkspaceWatch
from tests.support.bridge_session import session_in

DOCS = Path(__file__).parents[4] / "docs" / "bridge.md"


async def test_every_request_and_notification_is_documented_and_the_other_way_round(tmp_path: Path) -> None:
    async with session_in(tmp_path) as session, BulkServer() as bulk, asyncio.TaskGroup() as group:
        server = EditorServer()
        Requests(session, bulk, WorkspaceWatch(session, group, server.notify)).add_to(server)
        features: dict[str, object] = server.protocol.fm.features  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # pygls' bare Dict
        requests = {name for name in features if name.startswith("genba/")}
    code = "".join(path.read_text() for path in (DOCS.parents[1] / "ide-bridge/genba_ide_bridge/lsp").glob("*.py"))
    notifications = set(re.findall(r'notify\("(genba/\w+)"', code))
    text = DOCS.read_text()
    assert requests | notifications == set(re.findall(r"^\| `(genba/\w+)` \|", text, re.MULTILINE))
    assert len(requests) == 10
