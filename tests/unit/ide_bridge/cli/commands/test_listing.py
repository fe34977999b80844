"""`genba list` and `genba show`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import genba_on_terminal, run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


async def test_workspaces_are_listed_as_a_table(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace())
        done = await run_genba("ls", "-c", "workspace,status", "-c", "Outdated", folder=tmp_path, env=session(gateway))
        assert done.out == "WORKSPACE  STATUS   OUTDATED\nalice/dev  running  no\n"
        assert (done.code, done.err) == (0, "")
        assert gateway.requests_of("GET", "/workspaces")[0].query == "q=owner%3Ame"
        await run_genba("list", "--all", folder=tmp_path, env=session(gateway))
        await run_genba("list", "--search", "status:failed", folder=tmp_path, env=session(gateway))
        queries = [one.query for one in gateway.requests_of("GET", "/workspaces")]
        assert queries[1:] == ["", "q=status%3Afailed"]


async def test_json_is_the_bare_array_with_keys_that_we_do_not_know(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        empty = await run_genba("list", "-o", "json", folder=tmp_path, env=session(gateway))
        assert (json.loads(empty.out), empty.err) == ([], "")
        workspace = gateway.add_workspace(make_workspace())
        done = await run_genba("list", "--output=json", folder=tmp_path, env=session(gateway))
        listed = json.loads(done.out)
        assert [(one["id"], one["future"]) for one in listed] == [(workspace.id, 7)]
        shown = await run_genba("show", "dev", "-o", "json", folder=tmp_path, env=session(gateway))
        assert json.loads(shown.out) == listed[0]


async def test_no_workspaces_is_said_beside_the_output(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba("list", folder=tmp_path, env=session(gateway))
        assert (done.code, done.out) == (0, "")
        assert "genba create" in done.err


async def test_a_workspace_is_shown_with_its_agents(tmp_path: Path) -> None:
    agent = make_agent(status="timeout", status_reason="It never called.")
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(
            make_workspace(latest_build=make_build(status_reason="It runs.", resources=[make_resource([agent])]))
        )
        done = await run_genba("show", "alice/dev", folder=tmp_path, env=session(gateway))
        assert done.out.splitlines()[:2] == ["alice/dev: running", "  It runs."]
        assert "main" in done.out
        assert "It never called." in done.out


async def test_an_absent_workspace_is_named(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba("show", "bob/nope", folder=tmp_path, env=session(gateway))
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith('error: There is no workspace "bob/nope".\n')


async def test_a_terminal_gets_a_table_with_colours(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace())
        async with genba_on_terminal("list", folder=tmp_path, env=session(gateway)) as terminal:
            assert await terminal.end() == 0
            await terminal.see("alice/dev")
            await terminal.see("\x1b[32mrunning")
