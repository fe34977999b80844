"""`genba create`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from genba_wire.api.agents import Healthcheck, WorkspaceApp
from genba_wire.api.templates import ParameterOption
from genba_wire.api.workspaces import BuildParameter
from tests.support.cli_builders import (
    make_agent,
    make_job,
    make_parameter,
    make_resource,
    make_template,
    make_workspace,
)
from tests.support.cli_gateway import TOKEN, CliGateway, PlannedRun, running_cli_gateway
from tests.support.cli_process import genba_on_terminal, run_genba

OPTIONS = [
    ParameterOption(name="Small", description="2 cores", value="s", icon=""),
    ParameterOption(name="Large", description="8 cores", value="l", icon=""),
]


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


async def test_a_workspace_is_made_and_its_build_printed(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba(
            "create", "dev", "-t", "host", "--stop-after", "8h", "--start-at", "9:30AM Mon-Fri Europe/Vienna", "--yes",
            folder=tmp_path, env=session(gateway),
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines()[:3] == [
            "==> Planning infrastructure",
            "Plan: 1 to add",
            "Workspace dev is running (build 1).",
        ]
        assert "genba logs -f dev" in done.out
        sent = gateway.requests_of("POST", "/users/me/workspaces")[0].json()
        assert sent == {
            "name": "dev",
            "template_id": make_template().id,
            "ttl_ms": 28_800_000,
            "autostart_schedule": "CRON_TZ=Europe/Vienna 30 9 * * 1-5",
            "automatic_updates": "never",
        }


async def test_values_come_from_flags_files_and_another_workspace(tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("# mine\ncolor: 'red'\nsize: l\n")
    async with running_cli_gateway() as gateway:
        gateway.parameters = [make_parameter(name=name) for name in ("size", "color", "shape", "taste")]
        source = gateway.add_workspace(make_workspace(name="old"))
        gateway.build_parameters[source.latest_build.id] = [
            BuildParameter(name="shape", value="round"),
            BuildParameter(name="color", value="blue"),
        ]
        done = await run_genba(
            "create", "dev", "-t", "host", "--rich-parameter-file", "values.yaml", "--parameter", "size=s=1",
            "--copy-parameters-from", "old", "--parameter-default", "taste=sweet",
            folder=tmp_path, env=session(gateway),
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        values = gateway.requests_of("POST", "/users/me/workspaces")[0].json()["rich_parameter_values"]
        assert {value["name"]: value["value"] for value in values} == {
            "size": "s=1",
            "color": "red",
            "shape": "round",
            "taste": "sweet",
        }


async def test_what_has_to_be_answered_is_named_without_a_terminal(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.parameters = [make_parameter(required=True)]
        missing = await run_genba("create", "dev", "-t", "host", folder=tmp_path, env=session(gateway))
        assert (missing.code, "--parameter size=VALUE" in missing.err) == (2, True)
        no_template = await run_genba("create", "dev", folder=tmp_path, env=session(gateway))
        assert (no_template.code, "--template (one of host)" in no_template.err) == (2, True)
        unknown = await run_genba("create", "dev", "-t", "nope", folder=tmp_path, env=session(gateway))
        assert unknown.err == 'error: There is no template "nope".\nThere is: host.\n'
        wrong = await run_genba(
            "create", "dev", "-t", "host", "--parameter", "x=1", folder=tmp_path, env=session(gateway)
        )
        assert wrong.err.startswith('error: The template has no parameter "x". It has: size.\n')
        assert not gateway.requests_of("POST", "/users/me/workspaces")


async def test_questions_on_a_terminal_have_defaults_choices_and_checks(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.parameters = [
            make_parameter(name="size", options=OPTIONS, default_value="s"),
            make_parameter(name="disk", type="number", default_value="10", validation_min=1, validation_max=50),
            make_parameter(name="name", required=True, description_plaintext="How to call it."),
        ]
        async with genba_on_terminal("create", "dev", folder=tmp_path, env=session(gateway)) as terminal:
            await terminal.see("1) host")
            terminal.type("1\n")
            await terminal.see("8 cores")
            terminal.type("2\n")
            await terminal.see("disk [10]")
            terminal.type("100\n")
            await terminal.see("at least 1 and at most 50")
            terminal.type("\n")
            await terminal.see("How to call it.")
            terminal.type("\n")
            await terminal.see("name", times=2)
            terminal.type("x\n")
            await terminal.see("Workspace dev of template host, version one")
            await terminal.see("  disk: 10")
            await terminal.see("Create it? [Y/n]")
            terminal.type("\n")
            await terminal.see("Workspace dev is running")
            assert await terminal.end() == 0
        values = gateway.requests_of("POST", "/users/me/workspaces")[0].json()["rich_parameter_values"]
        assert {value["name"]: value["value"] for value in values} == {"size": "l", "disk": "10", "name": "x"}


async def test_ctrl_c_at_a_question_ends_with_130(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.parameters = [make_parameter(required=True)]
        async with genba_on_terminal("create", "dev", "-t", "host", folder=tmp_path, env=session(gateway)) as terminal:
            await terminal.see("size:")
            await terminal.press_until_seen("\x03", "Interrupted.")
            assert await terminal.end() == 130
        assert not gateway.requests_of("POST", "/users/me/workspaces")


async def test_a_no_before_the_creation_creates_nothing(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.parameters = [make_parameter(name="size", default_value="s"), make_parameter(name="e", ephemeral=True)]
        forced = session(gateway) | {"CODER_FORCE_TTY": "1"}
        done = await run_genba("create", "dev", "-t", "host", folder=tmp_path, stdin=b"xl\nn\n", env=forced)
        assert done.code == 130
        assert "Workspace dev of template host, version one\n  size: xl\nCreate it?" in done.err
        assert not gateway.requests_of("POST", "/users/me/workspaces")


def planned(**job: Any) -> PlannedRun:
    app = WorkspaceApp(
        id="a",
        url="",
        external=False,
        slug="code",
        display_name="Code",
        subdomain=False,
        sharing_level="owner",
        healthcheck=Healthcheck(url="", interval=0, threshold=0),
        health="disabled",
        hidden=False,
        open_in="slim-window",
    )
    return PlannedRun(
        make_job(type="template_version_dry_run", **job),
        [
            make_resource([make_agent(apps=[app])], type="docker_container", name="dev"),
            make_resource([], type="docker_volume", name="home"),
            make_resource([], type="random_id", name="inner", hide=True),
        ],
    )


async def test_what_would_be_made_is_shown_before_the_question(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.dry_run = planned()
        gateway.parameters = [make_parameter(name="size", default_value="s")]
        forced = session(gateway) | {"CODER_FORCE_TTY": "1"}
        done = await run_genba(
            "create", "dev", "-t", "host", "--parameter", "size=l", folder=tmp_path, stdin=b"n\n", env=forced
        )
        assert done.code == 130
        assert "Plan: 2 to add" in done.out
        assert (
            "It would make:\n"
            "  docker_container.dev\n"
            "    agent main (linux/amd64), apps: Code\n"
            "  docker_volume.home\n"
            "Create it?"
        ) in done.err
        assert "random_id" not in done.err
        version = make_template().active_version_id
        (asked,) = gateway.requests_of("POST", f"/templateversions/{version}/dry-run")
        assert asked.json() == {
            "workspace_name": "dev",
            "rich_parameter_values": [{"name": "size", "value": "l"}],
        }
        assert not gateway.requests_of("POST", "/users/me/workspaces")


async def test_what_can_not_be_planned_is_not_asked_for(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.dry_run = planned(status="failed", error="no such image")
        forced = session(gateway) | {"CODER_FORCE_TTY": "1"}
        done = await run_genba("create", "dev", "-t", "host", folder=tmp_path, stdin=b"y\n", env=forced)
        assert done.code == 1
        assert "error: A workspace can't be made like this: no such image" in done.err
        assert not gateway.requests_of("POST", "/users/me/workspaces")


async def test_with_yes_nobody_looks_at_a_plan_so_none_is_made(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.dry_run = planned()
        done = await run_genba("create", "dev", "-t", "host", "-y", folder=tmp_path, env=session(gateway))
        assert done.code == 0
        assert not [one for one in gateway.requests if "dry-run" in one.path]


async def test_ctrl_c_during_a_build_ends_with_130_and_says_that_it_goes_on(tmp_path: Path) -> None:
    async with (
        running_cli_gateway(finishes_builds=False) as gateway,
        genba_on_terminal("create", "dev", "-t", "host", "-y", folder=tmp_path, env=session(gateway)) as terminal,
    ):
        await terminal.see("Plan: 1 to add")
        terminal.process.send_signal(signal.SIGINT)
        await terminal.see("The build goes on without this command: `genba logs -f dev`")
        assert await terminal.end() == 130


async def test_a_name_that_is_taken_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace())
        done = await run_genba("create", "dev", "-t", "host", folder=tmp_path, env=session(gateway))
        assert (done.code, done.err.splitlines()[0]) == (1, 'error: There is a workspace "dev" already.')
