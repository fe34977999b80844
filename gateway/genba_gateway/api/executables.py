"""Programs to download under /bin (contract 2.5)."""

from __future__ import annotations

import asyncio
from typing import Final

from quart import Blueprint, Response, request
from quart.wrappers.response import FileBody

from genba_gateway.api.gate import needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.errors import NotFound
from genba_gateway.services.executables import Executables

CHUNK_BYTES: Final = 256 * 1024
_TEXT: Final = "text/plain; charset=utf-8"


def make_blueprint(executables: Executables) -> Blueprint:
    """Routes on the programs that workspaces and editors fetch; none needs a session."""
    blueprint = Blueprint("executables", __name__)

    @blueprint.get("/bin/")
    @needs(RouteAccess.PUBLIC)
    async def list_executables() -> Response:
        names = await executables.list_names()
        return Response("".join(f"{name}\n" for name in names), content_type=_TEXT)

    @blueprint.get("/bin/<name>")
    @needs(RouteAccess.PUBLIC)
    async def download(name: str) -> Response:
        try:
            executable = await executables.find(name)
        except NotFound as error:
            return Response(f"{error.message}\n", status=404, content_type=_TEXT)
        body = await asyncio.to_thread(FileBody, executable.path, buffer_size=CHUNK_BYTES)  # asks for the size
        response = Response(body, content_type="application/octet-stream")
        response.content_length = executable.size
        response.headers["X-Original-Content-Length"] = str(executable.size)
        response.headers["Cache-Control"] = "no-cache"
        response.set_etag(executable.sha1)
        return await response.make_conditional(request, accept_ranges=True, complete_length=executable.size)

    @blueprint.get("/bin/<path:nested>")
    @needs(RouteAccess.PUBLIC)
    async def refuse_nested(nested: str) -> Response:
        return Response(f"There is no folder under /bin: {nested}\n", status=404, content_type=_TEXT)

    return blueprint
