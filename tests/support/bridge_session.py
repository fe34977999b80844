"""The bridge's session with a gateway, in a test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from genba_ide_bridge.cli.options import GlobalFlags, Settings
from genba_ide_bridge.cli.session import SessionFolder
from genba_ide_bridge.lsp.sign_in import GatewaySession


def settings_in(folder: Path, **environment: str) -> Settings:
    """Settings that know nothing but a folder and some variables."""
    return Settings(GlobalFlags(global_config=str(folder)), environment)


@asynccontextmanager
async def session_in(
    folder: Path, url: str = "", token: str = "", **environment: str
) -> AsyncGenerator[GatewaySession]:
    """A session, signed in when there is a token."""
    if token:
        await asyncio.to_thread(SessionFolder(folder).write, url, token)
    session = GatewaySession(settings_in(folder, **environment))
    try:
        yield session
    finally:
        await session.close()
