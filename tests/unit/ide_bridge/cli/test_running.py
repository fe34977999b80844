"""From errors to words and exit codes, and output whose reader is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import pytest

from genba_ide_bridge.cli.running import run_command
from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_wire.errors import GatewayRefused, GatewayUnreachable
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import TOKEN, running_cli_gateway
from tests.support.cli_process import GENBA, environment_for

to_raise: list[BaseException] = []


@click.command()
def raising() -> None:
    raise to_raise.pop()


def run_raising(error: BaseException, *arguments: str) -> int:
    to_raise.append(error)
    return run_command(f"{__name__}:raising", "raising", list(arguments))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BridgeError("No.", "Try\nthat."), 1, "error: No.\nTry that.\n"),
        (NotSignedIn("Not signed in.", ""), 1, "error: Not signed in.\n"),
        (click.UsageError("Wrong."), 2, "error: Wrong.\n`genba raising --help` shows the usage.\n"),
        (GatewayUnreachable("Away."), 1, "error: Away.\n"),
        (GatewayRefused(400, "Bad.", "", (("name", "taken"),)), 1, "error: Bad.\nname: taken\n"),
        (
            GatewayRefused(413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
            1,
            "error: Something before the gateway refused the request: 413 Request Entity Too Large.\n"
            "Have its limit for bodies raised: in nginx `client_max_body_size 101m`.\n",
        ),
        (
            GatewayRefused(403, "<html><body><h1>403 Forbidden</h1></body></html>"),
            1,
            "error: Something before the gateway refused the request: 403 Forbidden.\n"
            "`genba netcheck` looks at the way there.\n",
        ),
        (FileNotFoundError(2, "No such file", "x.tf"), 1, "error: x.tf: No such file\n"),
        (KeyError("k"), 1, "error: KeyError: 'k'\nThis is a bug of genba. -v shows where.\n"),
        (ExceptionGroup("tasks", [ExceptionGroup("", [BridgeError("Inner.")])]), 1, "error: Inner.\n"),
        (KeyboardInterrupt(), 130, "\n\nInterrupted.\n"),
        (click.Abort(), 130, "\nInterrupted.\n"),
    ],
)
def test_errors_become_words_and_exit_codes(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_raising(error) == code
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--token", "tök"], "error: The session token holds something that no header can carry."),
        (["list", "--token", "a\nb"], "error: The session token holds something that no header can carry."),
        (["list", "--header", "X=tök"], 'error: The value of the header "X" holds something that no header can carry.'),
        (["list", "--header", "A:SECRET"], "error: A header is NAME=VALUE, and number 1 of 1 is not."),
        (["list", "--url", "http://127.0.0.1:9/\x01"], "is not the URL of a gateway."),
        (["show", "\udcff"], "error: Something in the arguments or the environment is not UTF-8."),
        (["tokens", "create", "--lifetime", "99999999999w"], "is longer than the 292 years that a duration may have."),
        (["create", "a", "--stop-after", "9999999999w"], "is longer than the 292 years that a duration may have."),
    ],
)
def test_what_was_mistyped_is_no_bug_and_no_secret_is_repeated(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from genba_ide_bridge.cli.main import main

    monkeypatch.setenv("GENBA_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GENBA_SESSION_TOKEN", "x")
    monkeypatch.setenv("GENBA_CONFIG_DIR", str(tmp_path))
    assert main(arguments) in (1, 2)
    shown = capsys.readouterr().err
    assert said in shown
    assert "bug of genba" not in shown
    assert "tök" not in shown
    assert "SECRET" not in shown


async def test_a_reader_that_leaves_a_followed_log_ends_the_program_quietly(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        # An agent's lines come from one of several tasks.
        agent = make_agent()
        gateway.add_workspace(make_workspace(latest_build=make_build(resources=[make_resource([agent])])))
        for number in range(5000):
            gateway.say_as_agent(agent.id, f"a rather long line with the number {number}")
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", '"$@" | head -n 1', "sh", *GENBA, "logs", "-f", "dev",
            env=environment_for(tmp_path, GENBA_URL=gateway.url, GENBA_SESSION_TOKEN=TOKEN),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert (out.decode(), err.decode()) == ("a rather long line with the number 0\n", "")
