from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from genba_gateway.store.settings import find_setting, insert_setting, put_setting
from tests.support.database import make_database


async def test_a_setting_is_put_over_the_former_and_inserted_only_once(tmp_path: Path) -> None:
    database = await make_database(tmp_path)
    async with database.write() as connection:
        assert await find_setting(connection, "color") is None
        await put_setting(connection, "color", "red")
        await put_setting(connection, "color", "blue")
        assert await find_setting(connection, "color") == "blue"
        with pytest.raises(IntegrityError):
            await insert_setting(connection, "color", "green")
        assert await find_setting(connection, "color") == "blue"
    await database.close()
