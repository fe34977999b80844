"""The streams of the command line's small gateway: logs of jobs and agents, the watch of a workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from quart import Quart, Response, request, websocket

from genba_wire.api.message import encode_message

if TYPE_CHECKING:
    from tests.support.cli_gateway import CliGateway


def add_streams(app: Quart, gateway: CliGateway) -> None:
    async def follow(read: Callable[[int], list[Any]], is_over: Callable[[], bool], *, in_arrays: bool) -> None:
        after = int(websocket.args.get("after", "0"))
        gateway.open_streams += 1
        gateway.changed()
        try:
            while True:
                change = gateway.change
                was_over = is_over()
                lines = list(read(after))
                if lines:
                    after = lines[-1].id
                for message in [lines] if in_arrays and lines else lines:
                    await websocket.send(encode_message(message).decode())
                if was_over and not lines:
                    return
                if not lines:
                    await change.wait()
        finally:
            gateway.open_streams -= 1
            gateway.changed()

    def lines_after(logs: dict[str, list[Any]], identifier: str) -> Callable[[int], list[Any]]:
        return lambda after: [line for line in logs.get(identifier, []) if line.id > after]

    def job_status(identifier: str) -> str:
        found = gateway.builds.get(identifier) or gateway.versions[identifier]
        return found.job.status

    @app.get("/api/v2/templateversions/<version>/dry-run/<job>/logs")
    async def dry_run_logs(version: str, job: str) -> Response:
        return json_of(lines_after(gateway.job_logs, job)(int(request.args.get("after", "0"))))

    @app.websocket("/api/v2/templateversions/<version>/dry-run/<job>/logs")
    async def follow_dry_run(version: str, job: str) -> None:
        await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart types its headers as a bare dict
        await follow(lines_after(gateway.job_logs, job), lambda: True, in_arrays=False)

    for noun in ("workspacebuilds", "templateversions"):

        @app.get(f"/api/v2/{noun}/<identifier>/logs", endpoint=f"{noun}_logs")
        async def job_logs(identifier: str) -> Response:
            return json_of(lines_after(gateway.job_logs, identifier)(int(request.args.get("after", "0"))))

        @app.websocket(f"/api/v2/{noun}/<identifier>/logs", endpoint=f"{noun}_follow")
        async def follow_job(identifier: str) -> None:
            await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart types its headers as a bare dict
            await follow(
                lines_after(gateway.job_logs, identifier),
                lambda: job_status(identifier) in ("succeeded", "failed", "canceled"),
                in_arrays=False,
            )

    @app.get("/api/v2/workspaceagents/<identifier>/logs")
    async def agent_logs(identifier: str) -> Response:
        return json_of(lines_after(gateway.agent_logs, identifier)(int(request.args.get("after", "0"))))

    @app.websocket("/api/v2/workspaceagents/<identifier>/logs")
    async def follow_agent(identifier: str) -> None:
        await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart types its headers as a bare dict
        await follow(lines_after(gateway.agent_logs, identifier), lambda: False, in_arrays=True)

    @app.websocket("/api/v2/workspaces/<workspace_id>/watch-ws")
    async def watch(workspace_id: str) -> tuple[str, int] | None:
        if not gateway.has_watch:
            return '{"message": "Route not found."}', 404
        await websocket.accept()  # pyright: ignore[reportUnknownMemberType]  # Quart types its headers as a bare dict
        while True:
            change = gateway.change
            event = {"type": "data", "data": gateway.workspaces[workspace_id]}
            await websocket.send(encode_message(event).decode())
            await change.wait()


def json_of(value: object) -> Response:
    return Response(encode_message(value), content_type="application/json; charset=utf-8")
