"""Examples of templates (contract, appendix A): the starters that ship with the gateway."""

from __future__ import annotations

import asyncio
import io
import tarfile
from functools import cache
from typing import Any, Final

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.files import TAR_TYPE
from genba_gateway.errors import NotFound
from genba_gateway.services.files import Files
from genba_gateway.starters import list_starters, read_starter
from genba_wire.api.templates import TemplateExample

_FENCE: Final = "---\n"


class Examples:
    """Lists examples, and makes uploads of them."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def list_all(self) -> list[TemplateExample]:
        """All examples, by name."""
        return list(await asyncio.to_thread(_read_all))

    async def upload(self, actor: UserActor, example_id: str) -> str:
        """Store an example's files as if the actor had uploaded them; the file's id.

        Raises:
            NotFound: there is no such example.
        """
        packed = await asyncio.to_thread(_pack, example_id)
        file_id, _ = await self._files.upload(actor, TAR_TYPE, packed)
        return file_id


@cache
def _read_all() -> tuple[TemplateExample, ...]:
    return tuple(_read(name, (read_starter(name) / "README.md").read_text("utf-8")) for name in list_starters())


def _read(name: str, text: str) -> TemplateExample:
    """What a starter's read-me says of it, in its front matter and below."""
    import yaml  # for these routes alone

    _, front, markdown = text.split(_FENCE, 2)
    about: dict[str, Any] = yaml.safe_load(front)
    return TemplateExample(
        id=name,
        url="",
        name=about["display_name"],
        description=about["description"],
        icon=about["icon"],
        tags=about["tags"],
        markdown=markdown.lstrip(),
    )


def _pack(name: str) -> bytes:
    """The same bytes each time, so that an example is stored once for each user."""
    names = list_starters()
    if name not in names:
        raise NotFound(f"There is no example {name!r}; there are: {', '.join(names)}.")
    folder = read_starter(name)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            member = tarfile.TarInfo(path.name)
            member.size = path.stat().st_size
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(path.read_bytes()))
    return packed.getvalue()
