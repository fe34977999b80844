"""`genba tokens`."""

from __future__ import annotations

import json
from pathlib import Path

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
