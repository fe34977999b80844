from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from genba_gateway.domain.files import StoredFile
from genba_gateway.store import files as file_store
from tests.support.workshop import UNKNOWN_ID, Workshop


async def test_a_file_comes_back_and_is_known_by_content_and_user(workshop: Workshop) -> None:
    owner_id = workshop.owner.user.id
    file = StoredFile(UNKNOWN_ID, "aa", owner_id, workshop.clock(), "application/x-tar", b"\x00\xff")
    async with workshop.database.write() as connection:
        await file_store.insert_file(connection, file)
    async with workshop.database.read() as connection:
        assert await file_store.find_file(connection, UNKNOWN_ID) == file
        assert await file_store.has_file(connection, UNKNOWN_ID)
        assert not await file_store.has_file(connection, owner_id)
        assert await file_store.find_file(connection, owner_id) is None
        assert await file_store.find_file_by_hash(connection, content_hash="aa", created_by=owner_id) == UNKNOWN_ID
        other = workshop.member.user.id
        assert await file_store.find_file_by_hash(connection, content_hash="aa", created_by=other) is None
    with pytest.raises(IntegrityError):
        async with workshop.database.write() as connection:
            await file_store.insert_file(connection, replace(file, id=owner_id))
