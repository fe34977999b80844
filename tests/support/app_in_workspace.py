"""A web application that runs in a workspace of a test: `python app_in_workspace.py ADDRESS FOLDER`.

ADDRESS is what Hypercorn binds to, such as `unix:/path`. What it was asked, and by which headers, is appended to
`FOLDER/requests`; pages are the files below `FOLDER/pages`, each with its headers in `NAME.headers` (JSON), so that a
test decides what a page tries.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from hypercorn.asyncio import serve  # pyright: ignore[reportUnknownVariableType]  # its middleware is untyped
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from quart import Quart, Response, request, websocket

CHUNK: Final = bytes(range(256)) * 256
"""64 KiB of what a download consists of."""


def make_app(folder: Path) -> Quart:
    """The application."""
    app = Quart("app_in_workspace", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = None
    app.config["BODY_TIMEOUT"] = None
    app.config["RESPONSE_TIMEOUT"] = None

    @app.before_request
    def note_request() -> None:
        seen = {"method": request.method, "target": request.full_path, "headers": list(request.headers.items())}
        with (folder / "requests").open("a") as file:
            file.write(json.dumps(seen) + "\n")

    @app.post("/upload")
    async def upload() -> Response:
        """The SHA-256 and the size of what was sent."""
        digest, size = hashlib.sha256(), 0
        async for chunk in request.body:
            digest.update(chunk)
            size += len(chunk)
        return Response(f"{digest.hexdigest()} {size}")

    @app.get("/download")
    async def download() -> Response:
        """As many chunks as asked for."""
        count = int(request.args["chunks"])

        async def body() -> AsyncIterator[bytes]:
            for _ in range(count):
                yield CHUNK

        return Response(body(), headers={"Content-Type": "application/octet-stream"})

    @app.get("/events")
    async def events() -> Response:
        """Server-sent events: one at once, and one more for each file `FOLDER/go-N` that comes."""

        async def body() -> AsyncIterator[bytes]:
            number = 0
            yield b"data: 0\n\n"
            while True:
                number += 1
                while not (folder / f"go-{number}").exists():  # noqa: ASYNC110  # files announce nothing
                    await asyncio.sleep(0.02)
                yield f"data: {number}\n\n".encode()

        return Response(body(), headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})

    @app.websocket("/echo")
    async def echo() -> None:
        """Say what was said."""
        while True:
            await websocket.send(await websocket.receive())

    @app.get("/")
    @app.get("/<path:name>")
    async def page(name: str = "index.html") -> Response:
        """A page of the test."""
        path = folder / "pages" / name
        if not path.is_file():
            return Response(f"no page {name}", status=404)
        headers = path.with_name(f"{path.name}.headers")
        given: list[tuple[str, str]] = json.loads(headers.read_text()) if headers.exists() else []
        kind = "text/javascript" if name.endswith(".js") else "text/html; charset=utf-8"
        answer = Response(path.read_bytes(), headers={"Content-Type": kind})
        for key, value in given:
            answer.headers.add(key, value)
        return answer

    return app


async def main(address: str, folder: Path) -> None:
    """Serve until killed."""
    config = Config()
    config.bind = [address]
    config.accesslog = None
    framework: ASGIFramework = make_app(folder)
    await serve(framework, config)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
