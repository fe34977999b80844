from __future__ import annotations

import uuid
from pathlib import Path

from genba_gateway.domain.machine import BOOT_ID, read_boot_id


def test_the_boot_id_of_this_machine_is_a_uuid() -> None:
    assert str(uuid.UUID(BOOT_ID)) == BOOT_ID == read_boot_id()


def test_a_machine_that_does_not_tell_has_an_empty_boot_id(tmp_path: Path) -> None:
    assert read_boot_id(tmp_path / "absent") == ""
