"""The files of template versions, to be read one by one."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.files import TAR_TYPE
from genba_gateway.domain.templates import Template, TemplateVersion
from genba_gateway.errors import BadRequest
from genba_gateway.provisioner.archive import iterate_tar
from genba_gateway.services.files import Files
from genba_gateway.services.template_versions import TemplateVersions
from genba_gateway.services.visibility import require
from genba_wire.api.templates import CreateTemplateVersionRequest

MAX_SHOWN_BYTES: Final = 256 * 1024
"""Of one file; a template's text is far smaller, and whoever wants more downloads it."""


READ_AT_ONCE: Final = 2
"""Archives that are taken apart at a time: one may have 100 MiB, and any member may look at any number."""


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """One file of a version; `text` is None for what is no text, or too much of it."""

    path: str
    size_bytes: int
    text: str | None


class TemplateFiles:
    """Use cases on the files of template versions."""

    def __init__(self, files: Files, versions: TemplateVersions) -> None:
        self._files = files
        self._versions = versions
        self._turns = asyncio.Semaphore(READ_AT_ONCE)

    async def list_files(self, actor: UserActor, version: TemplateVersion) -> list[TemplateFile]:
        """The files of a version, by path.

        Raises:
            NotFound: the archive is gone.
            BadRequest: it can't be read; says why.
        """
        async with self._turns:
            data, _ = await self._files.download(actor, version.job.file_id, "")
            return await asyncio.to_thread(_read_files, data)

    async def push_changed(
        self, actor: UserActor, template: Template, version: TemplateVersion, changes: Mapping[str, str], message: str
    ) -> TemplateVersion:
        """Push a version that is another one with some files written anew, or added; its import begins.

        Raises:
            BadRequest: a path can't be used, or nothing would be different.
            NotFound: the archive is gone.
        """
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        async with self._turns:
            data, _ = await self._files.download(actor, version.job.file_id, "")
            archive = await asyncio.to_thread(_change_archive, data, changes)
        file_id, _ = await self._files.upload(actor, TAR_TYPE, archive)
        wanted = CreateTemplateVersionRequest(
            storage_method="file",
            provisioner="terraform",
            file_id=file_id,
            template_id=template.id,
            message=message,
        )
        return await self._versions.create(actor, template.organization_id, wanted)


def _change_archive(data: bytes, changes: Mapping[str, str]) -> bytes:
    """The archive with these texts in it; the rest as it was.

    Raises:
        BadRequest: a path can't be used, or nothing would be different.
    """
    if not all(changes):
        raise BadRequest("The file needs a name, such as main.tf.")
    entries = {entry.path: entry for entry in iterate_tar(data) if entry.content is not None}
    texts = {path: text.encode() for path, text in changes.items()}
    if all(path in entries and entries[path].content == text for path, text in texts.items()):
        raise BadRequest("Nothing was changed, so there is nothing to push.")
    contents = {**{path: entry.content or b"" for path, entry in entries.items()}, **texts}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in contents.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            member.mode = 0o755 if path in entries and entries[path].is_executable else 0o644
            archive.addfile(member, io.BytesIO(content))
    changed = packed.getvalue()
    for _ in iterate_tar(changed):  # a path that leaves the archive is refused here, with its reason
        pass
    return changed


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
