"""`genba users`."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from tests.support.cli_builders import USER_ID, make_user
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


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


async def test_many_users_are_asked_for_in_pages(tmp_path: Path) -> None:
    others = [make_user(id=str(uuid.uuid4()), username=f"user{number}") for number in range(1200)]
    async with running_cli_gateway(other_users=others) as gateway:
        table = await run_genba("users", "list", "-c", "username", folder=tmp_path, env=session(gateway))
        assert table.out.splitlines()[1:] == ["alice", *(one.username for one in others)]
        raw = await run_genba("users", "list", "-o", "json", folder=tmp_path, env=session(gateway))
        assert len(json.loads(raw.out)) == 1201
        assert [one.query for one in gateway.requests_of("GET", "/users")] == [
            f"limit=500&offset={offset}" for offset in (0, 500, 1000)
        ] * 2


async def test_users_are_suspended_activated_and_deleted(tmp_path: Path) -> None:
    async with running_cli_gateway(other_users=[make_user(id=str(uuid.uuid4()), username="bob")]) as gateway:
        for command, status in (("suspend", "suspended"), ("activate", "active")):
            done = await run_genba(
                "users", command, "bob", "-c", "username,status", folder=tmp_path, env=session(gateway)
            )
            assert done.out.splitlines()[1].split() == ["bob", status]
        gone = await run_genba("users", "rm", "bob", folder=tmp_path, env=session(gateway))
        assert gone.out == "User bob was deleted.\n"
        for command in ("suspend", "activate", "delete"):
            absent = await run_genba("users", command, "nobody", folder=tmp_path, env=session(gateway))
            assert (absent.code, absent.err.splitlines()[0]) == (1, 'error: There is no user "nobody".')
