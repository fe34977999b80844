"""`genba tokens`, `users` and `state`."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

from tests.support.cli_builders import USER_ID, make_workspace
from tests.support.cli_gateway import FRESH_KEY, TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


async def test_a_token_is_printed_alone(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba(
            "tokens", "create", "--lifetime", "1d12h", "-n", "ci", folder=tmp_path, env=session(gateway)
        )
        assert (done.code, done.out, done.err) == (0, FRESH_KEY + "\n", "")
        sent = gateway.requests_of("POST", "/users/me/keys/tokens")[0].json()
        assert sent == {"lifetime": 129_600_000_000_000, "token_name": "ci"}


async def test_tokens_are_listed(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        raw = await run_genba("tokens", "list", "-o", "json", folder=tmp_path, env=session(gateway))
        assert [(one["token_name"], one["future"]) for one in json.loads(raw.out)] == [("ci", 7)]
        table = await run_genba("token", "ls", "-c", "id,name", folder=tmp_path, env=session(gateway))
        assert table.out == "ID          NAME\nabcdefghij  ci\n"


async def test_a_token_is_removed_by_name_id_or_itself(tmp_path: Path) -> None:
    for name in ("ci", "abcdefghij", TOKEN):
        async with running_cli_gateway() as gateway:
            done = await run_genba("tokens", "rm", name, folder=tmp_path, env=session(gateway))
            assert (done.code, gateway.keys) == (0, [])
            assert TOKEN not in done.out
            again = await run_genba("tokens", "remove", name, folder=tmp_path, env=session(gateway))
            assert (again.code, again.err.startswith("error: There is no token ")) == (1, True)
            assert TOKEN not in again.err


async def test_users_are_listed_shown_and_created(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        table = await run_genba("users", "list", "-c", "username,status", folder=tmp_path, env=session(gateway))
        assert table.out == "USERNAME  STATUS\nalice     active\n"
        raw = await run_genba("users", "list", "-o", "json", folder=tmp_path, env=session(gateway))
        assert [(one["id"], one["future"]) for one in json.loads(raw.out)] == [(USER_ID, 7)]
        shown = await run_genba("users", "show", "me", folder=tmp_path, env=session(gateway))
        assert "email        alice@example.com\n" in shown.out
        absent = await run_genba("users", "show", "nobody", folder=tmp_path, env=session(gateway))
        assert (absent.code, absent.err.splitlines()[0]) == (1, 'error: There is no user "nobody".')
        flags = ("users", "create", "-u", "bob", "-e", "b@x.test")
        no_password = await run_genba(*flags, folder=tmp_path, env=session(gateway))
        assert (no_password.code, "--password" in no_password.err) == (2, True)
        done = await run_genba(*flags, "--login-type", "none", folder=tmp_path, env=session(gateway))
        assert done.code == 0
        assert gateway.requests_of("POST", "/users")[0].json()["login_type"] == "none"


async def test_state_is_pulled_for_its_owner_only_and_pushed_whole(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace())
        shown = await run_genba("state", "pull", "dev", folder=tmp_path, env=session(gateway))
        assert shown.out.encode() == gateway.state
        kept = await run_genba("state", "pull", "dev", "state.json", folder=tmp_path, env=session(gateway))
        assert (kept.code, kept.out) == (0, "")
        assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
        done = await run_genba("state", "push", "dev", "state.json", folder=tmp_path, env=session(gateway))
        assert done.code == 0
        sent = gateway.requests_of("POST", f"/workspaces/{workspace.id}/builds")[0].json()
        assert (sent["transition"], base64.b64decode(sent["state"])) == ("start", gateway.state)
        absent = await run_genba("state", "push", "dev", "nope.json", folder=tmp_path, env=session(gateway))
        assert (absent.code, absent.err) == (1, "error: nope.json: No such file or directory\n")
