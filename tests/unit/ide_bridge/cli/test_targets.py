"""How a workspace is named."""

from __future__ import annotations

import click
import pytest

from genba_ide_bridge.cli.targets import WorkspaceTarget, parse_target


@pytest.mark.parametrize(
    ("text", "target", "name"),
    [
        ("dev", WorkspaceTarget("me", "dev"), "dev"),
        ("bob/dev", WorkspaceTarget("bob", "dev"), "bob/dev"),
        ("bob/dev.main", WorkspaceTarget("bob", "dev", "main"), "bob/dev"),
        ("dev.a.b", WorkspaceTarget("me", "dev", "a.b"), "dev"),
    ],
)
def test_names_are_read(text: str, target: WorkspaceTarget, name: str) -> None:
    assert parse_target(text) == target
    assert target.name == name


@pytest.mark.parametrize("text", ["", "/dev", "bob/", "a/b/c", "dev.", ".main"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(click.BadArgumentUsage):
        parse_target(text)
