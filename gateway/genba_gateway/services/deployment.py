"""What the deployment tells about itself."""

from __future__ import annotations

import uuid
from typing import Final

from genba_gateway.store import settings as setting_store
from genba_gateway.store.engine import Database

DEPLOYMENT_ID: Final = "deployment_id"


class Deployment:
    """The deployment's identity."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._id = ""

    async def get_id(self) -> str:
        """The deployment's id, made once and kept."""
        if not self._id:
            async with self._database.write() as connection:
                found = await setting_store.find_setting(connection, DEPLOYMENT_ID)
                if found is None:
                    found = str(uuid.uuid4())
                    await setting_store.insert_setting(connection, DEPLOYMENT_ID, found)
            self._id = found
        return self._id
