"""`genba rename`, `favorite`, `unfavorite` and `autoupdate`."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli_builders import make_workspace
from tests.support.cli_gateway import TOKEN, running_cli_gateway
from tests.support.cli_process import run_genba


async def test_settings_of_a_workspace_are_changed(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        env = {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}
        workspace = gateway.add_workspace(make_workspace(name="demo"))
        for words, said in (
            (("favorite", "demo"), "Workspace demo is a favorite.\n"),
            (("unfav", "demo"), "Workspace demo is no favorite.\n"),
            (("autoupdate", "demo", "always"), "Workspace demo is updated at each start.\n"),
            (("rename", "demo", "next", "--yes"), "Workspace demo is next now.\n"),
        ):
            done = await run_genba(*words, folder=tmp_path, env=env)
            assert (done.code, done.out) == (0, said)
        found = gateway.workspaces[workspace.id]
        assert (found.name, found.automatic_updates, found.favorite) == ("next", "always", False)
        assert len(gateway.requests_of("PUT", f"/workspaces/{workspace.id}/favorite")) == 1


async def test_nothing_is_renamed_without_a_yes_and_nothing_absent_is_changed(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        env = {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}
        asked = await run_genba("rename", "demo", "next", folder=tmp_path, env=env)
        assert (asked.code, "--yes" in asked.err) == (2, True)
        assert gateway.requests == []
        absent = await run_genba("favorite", "demo", folder=tmp_path, env=env)
        assert (absent.code, absent.err.splitlines()[0]) == (1, 'error: There is no workspace "demo".')
