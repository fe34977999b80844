"""Uploads: archives of templates (contract 4.1)."""

from __future__ import annotations

import asyncio
import hashlib
import uuid

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.files import MAX_FILE_BYTES, TAR_TYPE, ZIP_TYPES, StoredFile
from genba_gateway.errors import BadRequest
from genba_gateway.provisioner.archive import tar_to_zip, zip_to_tar
from genba_gateway.services.audit import record_change
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import files as file_store
from genba_gateway.store.engine import Database


class Files:
    """Stores archives once per content and user, as tar."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    async def upload(self, actor: UserActor, content_type: str, data: bytes) -> tuple[str, bool]:
        """Store an archive; a zip becomes a tar.

        Returns:
            The file's id, and whether it is new.

        Raises:
            BadRequest: too large, of another type, or a zip that can't be read.
        """
        require(actor, Resource.FILE, Action.CREATE)
        if len(data) > MAX_FILE_BYTES:
            raise BadRequest(f"The archive is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB: leave files out.")
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in {TAR_TYPE, *ZIP_TYPES}:
            raise BadRequest(f"Content-Type {kind!r} is not supported: send {TAR_TYPE} or application/zip.")
        content_hash = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        async with self._database.read() as connection:
            known = await file_store.find_file_by_hash(connection, content_hash=content_hash, created_by=actor.user_id)
        if known is not None:
            return known, False
        archive = await asyncio.to_thread(zip_to_tar, data) if kind in ZIP_TYPES else data
        file = StoredFile(str(uuid.uuid4()), content_hash, actor.user_id, self._now(), TAR_TYPE, archive)
        async with self._database.write() as connection:
            known = await file_store.find_file_by_hash(connection, content_hash=content_hash, created_by=actor.user_id)
            if known is not None:
                return known, False
            await file_store.insert_file(connection, file)
            resource = ("file", file.id, content_hash)
            await record_change(connection, actor, file.created_at, resource, {}, action="create")
        return file.id, True

    async def download(self, actor: UserActor, file_id: str, archive_format: str) -> tuple[bytes, str]:
        """The archive and its content type; `archive_format` is empty for tar, or `zip`.

        Raises:
            NotFound: there is none, or it is neither the actor's own nor that of a template version they may read.
            BadRequest: another format.
        """
        async with self._database.read() as connection:
            uploader = await file_store.find_uploader(connection, file_id)
            is_shared = await file_store.is_of_template_version(connection, file_id)
        if not (is_shared and actor.may(Permission(Resource.TEMPLATE, Action.READ))):
            require(actor, Resource.FILE, Action.READ, uploader)
        if archive_format not in {"", "zip"}:
            raise BadRequest(f"Format {archive_format!r} is not supported: leave it out for tar, or say zip.")
        async with self._database.read() as connection:
            file = await file_store.find_file(connection, file_id)
        if file is None:
            raise not_found()
        if archive_format == "zip":
            return await asyncio.to_thread(tar_to_zip, file.data), "application/zip"
        return file.data, TAR_TYPE
