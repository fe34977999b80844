"""Routes of uploaded archives (contract 4.1)."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.answers import answer
from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import Action, Permission, Resource
from genba_gateway.domain.files import MAX_FILE_BYTES
from genba_gateway.errors import BadRequest
from genba_gateway.services.files import Files
from genba_gateway.services.visibility import parse_id
from genba_wire.api.templates import UploadResponse


def make_blueprint(files: Files) -> Blueprint:
    """Routes on uploads."""
    blueprint = Blueprint("files", __name__)

    @blueprint.post("/api/v2/files")
    @needs(Permission(Resource.FILE, Action.CREATE))
    async def upload() -> Response:
        if (request.content_length or 0) > MAX_FILE_BYTES:
            raise BadRequest(f"The archive is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.")
        data = await _read_limited()
        file_id, is_new = await files.upload(current_user(), request.content_type or "", data)
        return answer(UploadResponse(hash=file_id), 201 if is_new else 200)

    @blueprint.get("/api/v2/files/<file_id>")
    @needs(Permission(Resource.FILE, Action.READ))
    async def download(file_id: str) -> Response:
        data, kind = await files.download(current_user(), parse_id(file_id, "fileID"), request.args.get("format", ""))
        return Response(data, content_type=kind)

    return blueprint


async def _read_limited() -> bytes:
    """The body, refused as soon as it passes the limit, so that nobody fills the memory."""
    parts = bytearray()
    async for part in request.body:
        parts += part
        if len(parts) > MAX_FILE_BYTES:
            raise BadRequest(f"The archive is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.")
    return bytes(parts)
