from __future__ import annotations

import pytest

from genba_ide_bridge.cli.copy_places import LocalPlace, RemotePlace, parse_place
from genba_ide_bridge.cli.targets import WorkspaceTarget


@pytest.mark.parametrize(
    ("text", "target", "path"),
    [
        ("demo:", WorkspaceTarget("me", "demo"), ""),
        ("demo:/srv/a:b", WorkspaceTarget("me", "demo"), "/srv/a:b"),
        ("kim/demo.main:notes.txt", WorkspaceTarget("kim", "demo", "main"), "notes.txt"),
        ("demo:a\udcff", WorkspaceTarget("me", "demo"), "a\0ff"),
    ],
)
def test_places_of_a_workspace(text: str, target: WorkspaceTarget, path: str) -> None:
    assert parse_place(text) == RemotePlace(target, path)


@pytest.mark.parametrize("text", ["notes.txt", "./a:b", "/tmp/a:b", "~/a:b", "a/b/c:d", ".", "..:x"])
def test_local_places(text: str) -> None:
    assert parse_place(text) == LocalPlace(text)


def test_name_is_the_last_part() -> None:
    assert [parse_place(text).name for text in ("demo:/srv/app/", "demo:a", "demo:", "/srv/app/")] == [
        "app",
        "a",
        "",
        "app",
    ]
