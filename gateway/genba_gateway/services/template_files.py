"""The files of template versions, to be read one by one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.provisioner.archive import iterate_tar
from genba_gateway.services.files import Files

MAX_SHOWN_BYTES: Final = 256 * 1024
"""Of one file; a template's text is far smaller, and whoever wants more downloads it."""


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """One file of a version; `text` is None for what is no text, or too much of it."""

    path: str
    size_bytes: int
    text: str | None


class TemplateFiles:
    """Use cases on the files of template versions."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def list_files(self, actor: UserActor, version: TemplateVersion) -> list[TemplateFile]:
        """The files of a version, by path.

        Raises:
            NotFound: the archive is gone.
            BadRequest: it can't be read; says why.
        """
        data, _ = await self._files.download(actor, version.job.file_id, "")
        return await asyncio.to_thread(_read_files, data)


def _read_files(data: bytes) -> list[TemplateFile]:
    entries = [entry for entry in iterate_tar(data) if entry.content is not None]
    return sorted((_read_file(entry.path, entry.content or b"") for entry in entries), key=lambda file: file.path)


def _read_file(path: str, content: bytes) -> TemplateFile:
    text = None
    if len(content) <= MAX_SHOWN_BYTES and b"\0" not in content:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = None
    return TemplateFile(path, len(content), text)
