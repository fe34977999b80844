"""The calls of Coder's extension of VS Code, word by word (editor clients, "What it needs of the command line")."""

from __future__ import annotations

import asyncio
import json
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from genba_wire.version import VERSION
from tests.support.cli_builders import (
    NOW,
    VERSION_ID,
    make_agent,
    make_build,
    make_job,
    make_parameter,
    make_resource,
    make_workspace,
)
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import CEILING_S, GENBA, Finished, environment_for, run_genba

ACTIVE_ID = "55555555-5555-4555-8555-555555555555"


async def call(home: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Finished:
    """Call genba as an editor does, with nothing at stdin."""
    return await run_genba(*arguments, folder=home, env=env or {})


async def call_closed(home: Path, *arguments: str, closed: str = "<&-") -> Finished:
    """Call genba with some of the standard streams closed."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'exec "$@" {closed}', "sh", *GENBA, *arguments),
        env=environment_for(home),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(CEILING_S):
        out, err = await process.communicate()
    return Finished(process.returncode or 0, out.decode(), err.decode())


def signed_in(home: Path, gateway: CliGateway) -> list[str]:
    """The global flags, for a folder with the session in it."""
    folder = home / "global storage" / "127.0.0.1"
    folder.mkdir(parents=True)
    (folder / "url").write_text(gateway.url)
    (folder / "session").write_text(TOKEN)
    return ["--global-config", str(folder), "--header-command", "printf 'X-Cmd=1'"]


def posted_builds(gateway: CliGateway) -> list[dict[str, object]]:
    return [one.json() for one in gateway.requests if one.method == "POST" and one.path.endswith("/builds")]


async def test_version_is_json_that_equals_the_gateways(tmp_path: Path) -> None:
    done = await call(tmp_path, "version", "--output", "json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["version"] == VERSION
    assert re.fullmatch(r"v\d+\.\d+\.\d+[-+.0-9A-Za-z]*", VERSION)


@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_login_keeps_what_it_is_given(tmp_path: Path, token: str) -> None:
    folder = tmp_path / "dir"
    # An empty token is for gateways whose proxy signs in by certificate, which this one stands for.
    async with running_cli_gateway(token=token) as gateway:
        done = await call(
            tmp_path, "--global-config", str(folder), "login", "--use-token-as-session", gateway.url,
            env={"CODER_SESSION_TOKEN": token},
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        assert ((folder / "url").read_text(), (folder / "session").read_text()) == (gateway.url, token)


async def test_login_token_prints_the_token_and_nothing_else(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        flags = signed_in(tmp_path, gateway)
        done = await call(tmp_path, *flags, "login", "token", "--url", gateway.url)
        assert (done.code, done.out, done.err) == (0, TOKEN + "\n", "")


async def test_logout_ends_the_session_and_can_be_repeated(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        flags = signed_in(tmp_path, gateway)
        for _ in range(2):
            done = await call(tmp_path, *flags, "logout", "--url", gateway.url, "--yes")
            assert (done.code, done.err) == (0, "")
        assert len(gateway.requests_of("POST", "/users/logout")) == 1
        assert os.listdir(flags[1]) == []


@pytest.mark.parametrize("reason", [[], ["--reason", "vscode_connection"]])
async def test_start_starts_what_is_stopped(tmp_path: Path, reason: list[str]) -> None:
    async with running_cli_gateway(parameters=[make_parameter(default_value="small")]) as gateway:
        stopped = make_build(transition="stop", status="stopped")
        gateway.add_workspace(make_workspace(latest_build=stopped, dormant_at=NOW))
        done = await call(tmp_path, *signed_in(tmp_path, gateway), "start", "--yes", *reason, "alice/dev")
        assert (done.code, done.err) == (0, "")
        assert [one["transition"] for one in posted_builds(gateway)] == ["start"]
        assert posted_builds(gateway)[0].get("reason") == (reason[1] if reason else None)


async def test_start_says_on_stderr_why_it_failed(tmp_path: Path) -> None:
    async with running_cli_gateway(parameters=[make_parameter(required=True)]) as gateway:
        gateway.add_workspace(make_workspace(latest_build=make_build(transition="stop", status="stopped")))
        done = await call(tmp_path, *signed_in(tmp_path, gateway), "start", "--yes", "alice/dev")
        assert (done.code != 0, "size" in done.err, "bug" in done.err) == (True, True, False)
        assert posted_builds(gateway) == []


async def test_update_takes_parameters_and_asks_nothing(tmp_path: Path) -> None:
    wanted = [make_parameter(required=True), make_parameter(name="zone", default_value="eu")]
    async with running_cli_gateway(parameters=wanted) as gateway:
        gateway.add_workspace(make_workspace(outdated=True, template_active_version_id=ACTIVE_ID))
        flags = signed_in(tmp_path, gateway)
        refused = await call_closed(tmp_path, *flags, "update", "alice/dev")
        assert (refused.code != 0, "--parameter" in refused.err, "bug" in refused.err) == (True, True, False)
        done = await call(tmp_path, *flags, "update", "--parameter", "size=a=b, c", "alice/dev")
        assert (done.code, done.err) == (0, "")
        (build,) = posted_builds(gateway)
        assert (build["transition"], build["template_version_id"]) == ("start", ACTIVE_ID)
        assert {"name": "size", "value": "a=b, c"} in json.loads(json.dumps(build["rich_parameter_values"]))


async def test_support_bundle_is_a_zip_where_it_is_wanted(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=make_build(resources=[make_resource([make_agent()])])))
        path = tmp_path / "a b.zip"
        done = await call(
            tmp_path, *signed_in(tmp_path, gateway),
            "support", "bundle", "alice/dev", "--output-file", str(path), "--yes",
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        assert zipfile.is_zipfile(path)


async def test_closed_streams_are_no_bug_of_ours(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        flags = signed_in(tmp_path, gateway)
        for closed in ("<&- >&- 2>&-", ">&-"):
            done = await call_closed(tmp_path, *flags, "list", closed=closed)
            assert done.code == 0, closed
        done = await call_closed(tmp_path, *flags, "create")
        assert (done.code, "genba create NAME" in done.err) == (2, True)


async def test_a_build_that_is_queued_by_others_is_joined(tmp_path: Path) -> None:
    build = make_build(status="pending", job=make_job(status="pending"), template_version_id=VERSION_ID)
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build))
        flags = signed_in(tmp_path, gateway)
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(call(tmp_path, *flags, "start", "--yes", "alice/dev"), name="start")
            await gateway.wait_for(lambda: gateway.open_streams == 1)
            gateway.set_job(build.id, "succeeded")
        assert starting.result().code == 0
        assert posted_builds(gateway) == []
