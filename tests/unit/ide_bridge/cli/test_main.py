"""The table of commands, global flags before and after the subcommand, and what is imported."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from genba_ide_bridge.cli.main import OWN, TABLE, main, split_global_flags
from genba_wire.version import VERSION, VERSION_LINE
from tests.support.cli_builders import make_workspace
from tests.support.cli_gateway import TOKEN, running_cli_gateway
from tests.support.cli_process import GENBA, environment_for, run_genba
from tests.support.tls import make_server_tls


@pytest.mark.parametrize("arguments", [["version"], ["--version"], ["-v", "version"], ["version", "--output", "text"]])
def test_the_version_is_told_in_a_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out == VERSION_LINE + "\n"


@pytest.mark.parametrize("flags", [["--output", "json"], ["-o", "json"], ["--output=json"], ["-ojson"]])
def test_the_version_is_told_as_json(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", *flags]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": VERSION}


@pytest.mark.parametrize("flags", [["-o", "yaml"], ["-o"], ["--nope"]])
def test_wrong_flags_of_version_are_wrong_usage(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", *flags]) == 2
    assert capsys.readouterr().err.startswith("error: ")


async def test_the_version_needs_no_library(tmp_path: Path) -> None:
    code = (
        "import sys; from genba_ide_bridge.cli.main import main; main(['version', '-o', 'json']);"
        "print(sorted({'httpx', 'click', 'rich', 'msgspec', 'asyncio', 'quart'} & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", code, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}
    )
    out, _ = await process.communicate()
    assert out.decode().splitlines()[-1] == "[]"


def test_flags_before_the_subcommand_are_told_from_it() -> None:
    assert split_global_flags(["--url", "list", "-v", "--header=a=b", "list", "--url", "x"]) == (
        ["--url", "list", "-v", "--header=a=b"],
        ["list", "--url", "x"],
    )
    assert split_global_flags(["--nope", "list"]) == ([], ["--nope", "list"])


def test_every_command_of_ours_can_be_imported_and_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name, (kind, target, _) in TABLE.items():
        if kind == OWN and target:
            assert main([name, "--help"]) == 0, name
            assert capsys.readouterr().out.startswith(f"Usage: genba {name}")


def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frobnicate"]) == 2
    assert "genba --help" in capsys.readouterr().err


def test_a_program_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(TABLE, "agent", ("program", "genba_absent.main:main", ""))
    assert main(["agent"]) == 1
    assert "does not hold genba_absent.main" in capsys.readouterr().err


def test_a_program_gets_its_arguments_and_gives_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "agent", ("program", f"{__name__}:fake_program", ""))
    assert main(["agent", "--no-reap", "x"]) == len(["--no-reap", "x"])


def fake_program(arguments: list[str]) -> int:
    return len(arguments)


async def test_global_flags_work_before_and_after_and_win_over_the_environment(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        flags = ["--url", gateway.url, "--token", TOKEN, "--header", "X-One=1"]
        wrong = {"GENBA_URL": "http://127.0.0.1:9", "GENBA_SESSION_TOKEN": "wrong"}
        before = await run_genba(*flags, "whoami", folder=tmp_path, env=wrong)
        after = await run_genba("whoami", *flags, "--no-version-warning", folder=tmp_path, env=wrong)
        below = await run_genba("templates", *flags, "list", folder=tmp_path, env=wrong)
        assert (before.code, after.code, below.code) == (0, 0, 0)
        assert [one.headers["X-One"] for one in gateway.requests] == ["1", "1", "1"]


async def test_the_environment_of_genba_wins_over_that_of_coder(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        coder = {
            "CODER_URL": gateway.url,
            "CODER_SESSION_TOKEN": TOKEN,
            "CODER_HEADER_COMMAND": "echo X-Two=$CODER_URL",
        }
        done = await run_genba("whoami", folder=tmp_path, env=coder)
        assert done.code == 0
        assert gateway.requests[0].headers["X-Two"] == gateway.url
        both = await run_genba("whoami", folder=tmp_path, env=coder | {"GENBA_SESSION_TOKEN": "wrong"})
        assert (both.code, "You are not signed in" in both.err) == (1, True)


@pytest.mark.parametrize("flags", [[], ["--ca-file"]])
async def test_a_certificate_authority_is_named_by_flag_or_environment(tmp_path: Path, flags: list[str]) -> None:
    certificate, _key = await asyncio.to_thread(make_server_tls, tmp_path)
    (tmp_path / "text.pem").write_text("nothing")
    arguments = [*flags, str(tmp_path / "text.pem")] if flags else []
    named = str(certificate if flags else tmp_path / "text.pem")
    session = {"GENBA_URL": "https://127.0.0.1:9", "GENBA_SESSION_TOKEN": TOKEN, "GENBA_CA_FILE": named}
    done = await run_genba(*arguments, "whoami", folder=tmp_path, env=session)
    assert (done.code, "text.pem can't be used" in done.err) == (1, True), done.err


@pytest.mark.parametrize("flags", [[], ["--client-cert"]])
async def test_a_client_certificate_is_named_by_flag_or_environment(tmp_path: Path, flags: list[str]) -> None:
    certificate, key = await asyncio.to_thread(make_server_tls, tmp_path)
    (tmp_path / "text.pem").write_text("nothing")
    arguments = [*flags, str(tmp_path / "text.pem"), "--client-key", str(key)] if flags else []
    session = {
        "GENBA_URL": "https://127.0.0.1:9",
        "GENBA_SESSION_TOKEN": TOKEN,
        "GENBA_CLIENT_CERT": str(certificate if flags else tmp_path / "text.pem"),
    }
    done = await run_genba(*arguments, "whoami", folder=tmp_path, env=session)
    assert (done.code, "The client certificate" in done.err, "text.pem" in done.err) == (1, True, True), done.err


async def test_a_token_is_not_sent_to_another_gateway_than_its_own(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway, running_cli_gateway() as other:
        await run_genba("login", "--use-token-as-session", gateway.url, "--token", TOKEN, folder=tmp_path)
        done = await run_genba("list", "--url", other.url, folder=tmp_path)
        assert (done.code, done.err) == (
            1,
            f"error: You are not signed in to {other.url}.\nRun `genba login {other.url}`.\n",
        )
        assert other.requests == []


async def test_another_version_of_the_gateway_is_told_once(tmp_path: Path) -> None:
    async with running_cli_gateway(version="v2.99.0") as gateway:
        session = {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}
        done = await run_genba("whoami", folder=tmp_path, env=session)
        assert (done.code, done.err.count("v2.99.0")) == (0, 1)
        silent = await run_genba("whoami", "--no-version-warning", folder=tmp_path, env=session)
        assert silent.err == ""


async def test_errors_are_lines_and_verbose_ones_have_a_traceback(tmp_path: Path) -> None:
    session = {"GENBA_URL": "http://127.0.0.1:9", "GENBA_SESSION_TOKEN": TOKEN}
    done = await run_genba("list", folder=tmp_path, env=session)
    assert done.code == 1
    assert done.err.startswith("error: Can't reach the gateway at http://127.0.0.1:9")
    assert done.err.count("\n") <= 2
    verbose = await run_genba("list", "-v", folder=tmp_path, env=session)
    assert "Traceback" in verbose.err
    assert TOKEN not in verbose.err


async def test_another_website_is_recognised_as_such(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        session = {"GENBA_URL": gateway.url + "/elsewhere", "GENBA_SESSION_TOKEN": TOKEN}
        done = await run_genba("list", folder=tmp_path, env=session)
        assert (done.code, done.err.count("\n") <= 2) == (1, True)


async def test_a_reader_that_leaves_ends_the_program_quietly(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace())
        for number in range(5000):
            gateway.say(workspace.latest_build.id, f"a rather long line with the number {number}")
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", '"$@" | head -n 1', "sh", *GENBA, "logs", "dev",
            env=environment_for(tmp_path, GENBA_URL=gateway.url, GENBA_SESSION_TOKEN=TOKEN),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert (out.decode(), err.decode()) == ("==> Starting workspace\n", "")
