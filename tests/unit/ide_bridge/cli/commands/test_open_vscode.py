"""`genba open vscode`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from genba_ide_bridge.cli.commands.open_vscode import find_folder
from genba_ide_bridge.errors import BridgeError
from tests.support.cli_builders import make_agent, make_api_key, make_build, make_resource, make_workspace
from tests.support.cli_gateway import FRESH_KEY, TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


def add_workspace(gateway: CliGateway) -> None:
    agent = make_agent(expanded_directory="/home/al ice")
    gateway.add_workspace(make_workspace(latest_build=make_build(resources=[make_resource([agent])])))


def query_of(link: str) -> dict[str, str]:
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.path) == ("vscode", "coder.coder-remote", "/open")
    return {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}


async def test_without_a_desktop_the_link_is_printed(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        add_workspace(gateway)
        done = await run_genba("open", "vscode", "dev", "src", folder=tmp_path, env=session(gateway))
        assert (done.code, done.err) == (0, "Open this link where VS Code is:\n")
        assert query_of(done.out.strip()) == {
            "url": gateway.url,
            "owner": "alice",
            "workspace": "dev",
            "agent": "main",
            "folder": "/home/al ice/src",
        }
        assert "+" not in done.out


def make_desktop(tmp_path: Path, code: int) -> dict[str, str]:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "xdg-open").write_text(f'#!/bin/sh\nprintf %s "$1" > "{tmp_path}/opened"\nexit {code}\n')
    (folder / "xdg-open").chmod(0o755)
    return {"PATH": str(folder), "DISPLAY": ":9"}


async def test_a_desktop_gets_the_link_with_a_new_session(tmp_path: Path) -> None:
    desktop = make_desktop(tmp_path, 0)
    async with running_cli_gateway() as gateway:
        add_workspace(gateway)
        done = await run_genba(
            "open", "vscode", "dev", "--generate-token", folder=tmp_path, env={**session(gateway), **desktop}
        )
        assert (done.code, done.out, done.err) == (0, "Opening dev in VS Code.\n", "")
        assert query_of((tmp_path / "opened").read_text())["token"] == FRESH_KEY
        quiet = await run_genba(
            "open", "vscode", "dev", "--generate-token", "--no-open", folder=tmp_path, env=session(gateway)
        )
        assert query_of(quiet.out.strip())["token"] == FRESH_KEY


async def test_a_session_that_nobody_took_is_ended(tmp_path: Path) -> None:
    desktop = make_desktop(tmp_path, 1)
    async with running_cli_gateway(keys=[make_api_key(id=FRESH_KEY.partition("-")[0])]) as gateway:
        add_workspace(gateway)
        done = await run_genba(
            "open", "vscode", "dev", "--generate-token", folder=tmp_path, env={**session(gateway), **desktop}
        )
        assert done.code == 0
        assert gateway.keys == []
        assert "token" not in query_of(done.out.strip())


@pytest.mark.parametrize(
    ("system", "start", "directory", "folder"),
    [
        ("linux", "/home/a", None, "/home/a"),
        ("linux", "/home/a", "/srv/x/", "/srv/x"),
        ("linux", "/home/a", "../b/./c", "/home/b/c"),
        ("linux", "", "/srv", "/srv"),
        ("linux", "", None, ""),
        ("windows", r"C:\Users\a", "src", r"C:\Users\a\src"),
        ("windows", r"C:\Users\a", r"D:\src", r"D:\src"),
    ],
)
def test_the_folder_is_named_as_the_workspace_does(system: str, start: str, directory: str | None, folder: str) -> None:
    agent = make_agent(operating_system=system, expanded_directory=start)
    assert find_folder(agent, directory) == folder


def test_a_folder_that_lies_nowhere_is_refused() -> None:
    with pytest.raises(BridgeError, match="names no folder"):
        find_folder(make_agent(), "src")
