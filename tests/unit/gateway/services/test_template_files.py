from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest

from genba_gateway.services.template_files import MAX_SHOWN_BYTES, READ_AT_ONCE, TemplateFiles
from tests.support.workshop import Workshop, open_workshop


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    async with open_workshop(tmp_path) as made:
        yield made


def _archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


async def test_files_are_read_by_path_and_what_is_no_text_is_named_only(workshop: Workshop) -> None:
    archive = _archive(
        {
            "main.tf": "# 現場\n".encode(),
            "a/logo.png": b"\x89PNG\0",
            "latin": b"\xe9",
            "most": b"x" * MAX_SHOWN_BYTES,
            "more": b"x" * (MAX_SHOWN_BYTES + 1),
        }
    )
    file_id, _ = await workshop.services.files.upload(workshop.owner.actor, "application/x-tar", archive)
    made = await workshop.add_version(file_id=file_id)
    version = await workshop.services.template_versions.get(workshop.owner.actor, made["id"])
    files = await workshop.services.template_files.list_files(workshop.member.actor, version)
    assert [(file.path, file.text is not None) for file in files] == [
        ("a/logo.png", False),
        ("latin", False),
        ("main.tf", True),
        ("more", False),
        ("most", True),
    ]
    assert files[2].text == "# 現場\n"


async def test_few_archives_are_read_at_a_time() -> None:
    running = most = 0

    class CountedFiles:
        async def download(self, *_: Any) -> tuple[bytes, str]:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return _archive({"main.tf": b""}), ""

    files = TemplateFiles(cast("Any", CountedFiles()), cast("Any", None))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(files.list_files(cast("Any", None), cast("Any", Anything())))
    assert most == READ_AT_ONCE


class Anything:
    """Has every attribute."""

    def __getattr__(self, _name: str) -> Anything:
        return self
