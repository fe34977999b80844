from __future__ import annotations

import asyncio

import pytest

from genba_gateway.errors import NotFound
from genba_gateway.provisioner.archive import iterate_tar
from genba_gateway.starters import list_starters, read_starter
from tests.support.workshop import Workshop

STARTERS = {name: read_starter(name) for name in list_starters()}
FILES = {
    name: {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    for name, folder in STARTERS.items()
}


async def test_every_starter_is_an_example_with_what_its_read_me_says(workshop: Workshop) -> None:
    found = {example.id: example for example in await workshop.services.examples.list_all()}
    assert list(found) == list(STARTERS)
    host = found["host"]
    assert (host.name, host.tags) == ("This machine", ["host", "linux"])
    assert host.description == "Workspaces as processes on the gateway's own machine"
    assert host.markdown.startswith("# Workspaces on the gateway's machine")
    assert all(example.markdown.startswith("# ") and example.description for example in found.values())


@pytest.mark.parametrize("name", list(STARTERS))
async def test_an_example_is_uploaded_whole_and_once_for_each_user(workshop: Workshop, name: str) -> None:
    examples, owner = workshop.services.examples, workshop.owner.actor
    first = await examples.upload(owner, name)
    assert await examples.upload(owner, name) == first
    data, _ = await workshop.services.files.download(owner, first, "")
    entries = await asyncio.to_thread(lambda: list(iterate_tar(data)))
    packed = {entry.path: entry.content for entry in entries}
    assert packed == FILES[name]


@pytest.mark.parametrize("name", ["", "none", "../starters/host", "__init__.py"])
async def test_what_is_no_example_is_named(workshop: Workshop, name: str) -> None:
    with pytest.raises(NotFound, match="there are: docker, host"):
        await workshop.services.examples.upload(workshop.owner.actor, name)
