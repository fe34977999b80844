"""`genba vscodessh`, up to the carrier."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import running_cli_gateway
from tests.support.cli_process import run_genba

HOST = "coder-vscode.gateway.example--ann--dev.main"


def files_in(folder: Path, url: str, token: str) -> tuple[str, ...]:
    (folder / "url").write_text(url + "\n")
    (folder / "token").write_text(token + "\n")
    return ("--url-file", str(folder / "url"), "--session-token-file", str(folder / "token"))


async def test_address_and_token_come_from_files_and_the_log_has_the_name_that_editors_expect(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        build = make_build(resources=[make_resource([make_agent()])])
        gateway.add_workspace(make_workspace(latest_build=build))
        files = files_in(tmp_path, gateway.url, gateway.token)
        folders = ("--network-info-dir", str(tmp_path / "net"), "--log-dir", str(tmp_path / "log"), "-v")
        done = await run_genba("vscodessh", *folders, *files, HOST, folder=tmp_path)
        assert gateway.requests[0].path == "/api/v2/users/ann/workspace/dev"
        assert len(gateway.tickets) == 1
    assert (done.code, done.out) == (255, "")
    (log,) = (tmp_path / "log").iterdir()
    assert log.stem.isdigit()


async def test_a_stopped_workspace_is_never_started(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=make_build(transition="stop", status="stopped")))
        done = await run_genba("vscodessh", *files_in(tmp_path, gateway.url, gateway.token), HOST, folder=tmp_path)
        assert gateway.requests_of("POST", f"/workspaces/{workspace.id}/builds") == []
    assert done.code == 1
    assert "is stopped" in done.err


async def test_what_is_missing_is_named(tmp_path: Path) -> None:
    files = files_in(tmp_path, "http://127.0.0.1:9", "x")
    (tmp_path / "token").unlink()
    done = await run_genba("vscodessh", *files, HOST, folder=tmp_path)
    assert done.code == 1
    assert "token" in done.err
    wrong = await run_genba("vscodessh", *files, "dev", folder=tmp_path)
    assert wrong.code == 2
    assert "does not name a workspace" in wrong.err
